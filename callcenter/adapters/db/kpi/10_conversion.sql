-- Conversion: contacts whose disposition is marked success / contacts connected.
CREATE OR REPLACE FUNCTION kpi_conversion_in(from_at timestamptz, to_at timestamptz, slice text, zone text)
RETURNS TABLE (queue text, slice_at timestamptz, conversion numeric)
LANGUAGE sql STABLE AS $$
    SELECT c.queue, kpi_slice(c.entered_at, slice, zone), count(*) FILTER (WHERE 'success' = ANY(c.disposition_flags))::numeric / count(*)
    FROM contact c
    WHERE c.entered_at >= from_at AND c.entered_at < to_at AND c.answered_at IS NOT NULL
    GROUP BY 1, 2
$$;
