-- Abandon rate: (abandoned - short) / (offered - short).
CREATE OR REPLACE FUNCTION kpi_abandon_rate(from_at timestamptz, to_at timestamptz, slice text, zone text)
RETURNS TABLE (queue text, slice_at timestamptz, abandon_rate numeric)
LANGUAGE sql STABLE AS $$
    SELECT s.queue, s.slice_at, (s.abandoned - s.short_abandoned)::numeric / nullif(s.offered - s.short_abandoned, 0)
    FROM kpi_sums(from_at, to_at, slice, zone) s
$$;
