-- Counts and sums per queue and slice, from which every other KPI is made; they add up over any slices and queues.
-- A contact belongs to the slice in which it entered the queue.
CREATE OR REPLACE FUNCTION kpi_sums_in(from_at timestamptz, to_at timestamptz, slice text, zone text, target_s numeric DEFAULT 20)
RETURNS TABLE (
    queue text, slice_at timestamptz,
    offered bigint, answered bigint, abandoned bigint, short_abandoned bigint, overflowed bigint, still_waiting bigint,
    answered_in_time bigint, handled bigint,
    wait_s numeric, handled_talk_s numeric, handled_hold_s numeric, handled_wrap_up_s numeric, longest_wait_s numeric
)
LANGUAGE sql STABLE AS $$
    SELECT
        c.queue,
        kpi_slice(c.entered_at, slice, zone),
        count(*),
        count(*) FILTER (WHERE c.answered_at IS NOT NULL),
        count(*) FILTER (WHERE c.state = 'abandoned'),
        count(*) FILTER (WHERE c.state = 'abandoned' AND c.short_abandon),
        count(*) FILTER (WHERE c.state = 'overflowed'),
        count(*) FILTER (WHERE c.state IN ('waiting', 'offered')),
        count(*) FILTER (WHERE c.answered_at IS NOT NULL AND c.wait_s <= target_s),
        count(*) FILTER (WHERE c.state = 'ended'),
        coalesce(sum(c.wait_s) FILTER (WHERE c.answered_at IS NOT NULL), 0),
        coalesce(sum(c.talk_s) FILTER (WHERE c.state = 'ended'), 0),
        coalesce(sum(c.hold_s) FILTER (WHERE c.state = 'ended'), 0),
        coalesce(sum(c.wrap_up_s) FILTER (WHERE c.state = 'ended'), 0),
        coalesce(max(c.wait_s), 0)
    FROM contact c
    WHERE c.entered_at >= from_at AND c.entered_at < to_at
    GROUP BY 1, 2
$$;
