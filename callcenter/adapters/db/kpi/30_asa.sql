-- ASA: the wait of the answered / answered.
CREATE OR REPLACE VIEW kpi_asa AS
SELECT queue, interval_start, wait_s / nullif(answered, 0) AS asa_s, wait_s, answered FROM kpi_sums;
