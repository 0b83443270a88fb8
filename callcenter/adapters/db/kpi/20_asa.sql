-- ASA: the wait of the answered / answered.
CREATE OR REPLACE FUNCTION kpi_asa(from_at timestamptz, to_at timestamptz, slice text, zone text)
RETURNS TABLE (queue text, slice_at timestamptz, asa_s numeric)
LANGUAGE sql STABLE AS $$
    SELECT s.queue, s.slice_at, s.wait_s / nullif(s.answered, 0)
    FROM kpi_sums(from_at, to_at, slice, zone) s
$$;
