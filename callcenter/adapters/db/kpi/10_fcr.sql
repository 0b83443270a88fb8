-- FCR: handled contacts whose caller does not enter the same queue again within n days / handled.
-- Callers who withhold their number cannot be seen to return; their contacts count on neither side.
CREATE OR REPLACE FUNCTION kpi_fcr_in(from_at timestamptz, to_at timestamptz, slice text, zone text, days integer DEFAULT 7)
RETURNS TABLE (queue text, slice_at timestamptz, fcr numeric)
LANGUAGE sql STABLE AS $$
    SELECT c.queue, kpi_slice(c.entered_at, slice, zone),
        count(*) FILTER (WHERE NOT EXISTS (
            SELECT FROM contact again
            WHERE again.queue = c.queue AND again.caller = c.caller AND again.caller <> ''
              AND again.entered_at > c.entered_at AND again.entered_at <= c.entered_at + days * interval '24 hours'
        ))::numeric / count(*)
    FROM contact c
    WHERE c.entered_at >= from_at AND c.entered_at < to_at AND c.state = 'ended' AND c.caller <> ''
    GROUP BY 1, 2
$$;
