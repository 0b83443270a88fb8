-- Occupancy: (talk + hold + wrap-up) / (talk + hold + wrap-up + ready + reserved); not-ready time is in neither.
CREATE OR REPLACE VIEW kpi_occupancy AS
SELECT agent, interval_start, (talking_s + wrap_up_s) / nullif(talking_s + wrap_up_s + ready_s + reserved_s, 0) AS occupancy,
    talking_s, wrap_up_s, ready_s, reserved_s
FROM kpi_agent_time;
