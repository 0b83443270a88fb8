-- Of the estimated waits told to callers: how many came true / all that are known to have or have not.
CREATE OR REPLACE VIEW kpi_ewt_came_true AS
SELECT queue, kpi_interval(entered_at) AS interval_start,
    sum(told_right)::numeric / sum(told_right + told_wrong) AS ewt_came_true,
    sum(told_right)::bigint AS told_right, sum(told_wrong)::bigint AS told_wrong
FROM contact
WHERE told_right + told_wrong > 0
GROUP BY 1, 2;
