-- offered = answered + abandoned + overflowed + still waiting.
CREATE OR REPLACE FUNCTION kpi_offered(from_at timestamptz, to_at timestamptz, slice text, zone text)
RETURNS TABLE (
    queue text, slice_at timestamptz,
    offered bigint, answered bigint, abandoned bigint, short_abandoned bigint, overflowed bigint, still_waiting bigint
)
LANGUAGE sql STABLE AS $$
    SELECT s.queue, s.slice_at, s.offered, s.answered, s.abandoned, s.short_abandoned, s.overflowed, s.still_waiting
    FROM kpi_sums(from_at, to_at, slice, zone) s
$$;
