-- FCR: handled contacts whose caller does not enter the same queue again within 7 days / handled.
-- Callers who withhold their number cannot be seen to return; their contacts count on neither side.
CREATE OR REPLACE VIEW kpi_fcr AS
SELECT queue, interval_start, unreturned::numeric / nullif(handled_known, 0) AS fcr, unreturned, handled_known FROM kpi_sums;
