-- still waiting: entered in this interval and wait even now.
CREATE OR REPLACE VIEW kpi_still_waiting AS
SELECT queue, interval_start, still_waiting FROM kpi_sums;
