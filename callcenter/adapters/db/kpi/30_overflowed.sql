-- overflowed: left the queue otherwise than answered or abandoned.
CREATE OR REPLACE VIEW kpi_overflowed AS
SELECT queue, interval_start, overflowed FROM kpi_sums;
