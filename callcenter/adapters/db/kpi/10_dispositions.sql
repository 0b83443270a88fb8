-- What contacts have achieved, as agents said, and what that was configured to mean when it was given: contacts per queue, slice and
-- disposition, and how many of them carry each flag.
CREATE OR REPLACE FUNCTION kpi_dispositions_in(from_at timestamptz, to_at timestamptz, slice text, zone text)
RETURNS TABLE (
    queue text, slice_at timestamptz, disposition text, contacts bigint,
    success bigint, resolved bigint, do_not_call bigint, call_back bigint, retry bigint, never_again bigint
)
LANGUAGE sql STABLE AS $$
    SELECT c.queue, kpi_slice(c.entered_at, slice, zone), c.disposition, count(*),
        count(*) FILTER (WHERE 'success' = ANY(c.disposition_flags)),
        count(*) FILTER (WHERE 'resolved' = ANY(c.disposition_flags)),
        count(*) FILTER (WHERE 'do_not_call' = ANY(c.disposition_flags)),
        count(*) FILTER (WHERE 'call_back' = ANY(c.disposition_flags)),
        count(*) FILTER (WHERE 'retry' = ANY(c.disposition_flags)),
        count(*) FILTER (WHERE 'never_again' = ANY(c.disposition_flags))
    FROM contact c
    WHERE c.entered_at >= from_at AND c.entered_at < to_at AND c.disposition <> ''
    GROUP BY 1, 2, 3
$$;
