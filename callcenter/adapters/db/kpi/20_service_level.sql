-- Service level X/T: answered with wait <= T / (answered + abandoned - short abandoned).
CREATE OR REPLACE FUNCTION kpi_service_level(from_at timestamptz, to_at timestamptz, slice text, zone text, target_s numeric DEFAULT 20)
RETURNS TABLE (queue text, slice_at timestamptz, service_level numeric)
LANGUAGE sql STABLE AS $$
    SELECT s.queue, s.slice_at, s.answered_in_time::numeric / nullif(s.answered + s.abandoned - s.short_abandoned, 0)
    FROM kpi_sums(from_at, to_at, slice, zone, target_s) s
$$;
