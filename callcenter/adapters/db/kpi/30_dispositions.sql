-- What contacts have achieved, as agents said, and how many of them carry each flag of what that means.
CREATE OR REPLACE VIEW kpi_dispositions AS
SELECT queue, kpi_interval(entered_at) AS interval_start, disposition, count(*) AS contacts,
    count(*) FILTER (WHERE 'success' = ANY(disposition_flags)) AS success,
    count(*) FILTER (WHERE 'resolved' = ANY(disposition_flags)) AS resolved,
    count(*) FILTER (WHERE 'do_not_call' = ANY(disposition_flags)) AS do_not_call,
    count(*) FILTER (WHERE 'call_back' = ANY(disposition_flags)) AS call_back,
    count(*) FILTER (WHERE 'retry' = ANY(disposition_flags)) AS retry,
    count(*) FILTER (WHERE 'never_again' = ANY(disposition_flags)) AS never_again
FROM contact
WHERE disposition <> ''
GROUP BY 1, 2, 3;
