-- Of the estimated waits told to callers ("under four minutes"): how many came true / all that are known to have or have not.
-- Who left before the time was up counts on neither side.
CREATE OR REPLACE FUNCTION kpi_ewt_came_true_in(from_at timestamptz, to_at timestamptz, slice text, zone text)
RETURNS TABLE (queue text, slice_at timestamptz, ewt_came_true numeric)
LANGUAGE sql STABLE AS $$
    SELECT c.queue, kpi_slice(c.entered_at, slice, zone), sum(c.told_right)::numeric / sum(c.told_right + c.told_wrong)
    FROM contact c
    WHERE c.entered_at >= from_at AND c.entered_at < to_at AND c.told_right + c.told_wrong > 0
    GROUP BY 1, 2
$$;
