-- Service level X/T: answered with wait <= T / (answered + abandoned - short abandoned). T is target_wait_s.
CREATE OR REPLACE VIEW kpi_service_level AS
SELECT queue, interval_start, answered_in_time::numeric / nullif(answered + abandoned - short_abandoned, 0) AS service_level,
    answered_in_time, answered, abandoned, short_abandoned, target_wait_s
FROM kpi_sums;
