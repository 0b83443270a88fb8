-- Conversion: contacts whose disposition is marked success / contacts connected.
CREATE OR REPLACE VIEW kpi_conversion AS
SELECT queue, kpi_interval(entered_at) AS interval_start,
    count(*) FILTER (WHERE 'success' = ANY(disposition_flags))::numeric / count(*) AS conversion,
    count(*) FILTER (WHERE 'success' = ANY(disposition_flags)) AS succeeded, count(*) AS connected
FROM contact
WHERE answered_at IS NOT NULL
GROUP BY 1, 2;
