-- The funnel of callbacks: what became of what we promised. Counted in the slice in which it was promised (a caller who was told of it and
-- waited on: in which the contact entered the queue). All columns add up over any slices and queues; promised = kept + broken + still_open.
CREATE OR REPLACE FUNCTION kpi_callbacks_in(from_at timestamptz, to_at timestamptz, slice text, zone text)
RETURNS TABLE (
    queue text, slice_at timestamptz,
    offered bigint, accepted bigint, promised bigint, dialed bigint, reached bigint, bridged bigint,
    kept bigint, kept_in_time bigint, merged bigint, broken bigint, still_open bigint, attempts bigint
)
LANGUAGE sql STABLE AS $$
    WITH counted AS (
        SELECT b.queue, kpi_slice(b.created_at, slice, zone) AS slice_at,
            count(*) FILTER (WHERE b.source <> 'person') AS accepted,
            count(*) AS promised,
            count(*) FILTER (WHERE b.attempts > 0) AS dialed,
            count(*) FILTER (WHERE b.reached_at IS NOT NULL) AS reached,
            count(*) FILTER (WHERE b.bridged_at IS NOT NULL) AS bridged,
            count(*) FILTER (WHERE b.state = 'kept') AS kept,
            count(*) FILTER (WHERE b.state = 'kept' AND b.in_time) AS kept_in_time,
            count(*) FILTER (WHERE b.state = 'kept' AND b.why = 'merged') AS merged,
            count(*) FILTER (WHERE b.state = 'broken') AS broken,
            count(*) FILTER (WHERE b.state NOT IN ('kept', 'broken')) AS still_open,
            sum(b.attempts)::bigint AS attempts
        FROM callback b
        WHERE b.created_at >= from_at AND b.created_at < to_at
        GROUP BY 1, 2
    ), told AS (  -- and did not take it
        SELECT c.queue, kpi_slice(c.entered_at, slice, zone) AS slice_at, count(*) AS declined
        FROM contact c
        WHERE c.entered_at >= from_at AND c.entered_at < to_at AND c.callback_offered
            AND NOT EXISTS (SELECT FROM callback b WHERE b.contact_id = c.contact_id AND b.contact_id <> '')
        GROUP BY 1, 2
    )
    SELECT queue, slice_at, coalesce(accepted, 0) + coalesce(declined, 0), coalesce(accepted, 0), coalesce(promised, 0),
        coalesce(dialed, 0), coalesce(reached, 0), coalesce(bridged, 0), coalesce(kept, 0), coalesce(kept_in_time, 0), coalesce(merged, 0),
        coalesce(broken, 0), coalesce(still_open, 0), coalesce(attempts, 0)
    FROM counted FULL JOIN told USING (queue, slice_at)
$$;
