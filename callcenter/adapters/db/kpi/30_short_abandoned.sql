-- short abandoned: abandoned within the short_abandon that the queue had then.
CREATE OR REPLACE VIEW kpi_short_abandoned AS
SELECT queue, interval_start, short_abandoned FROM kpi_sums;
