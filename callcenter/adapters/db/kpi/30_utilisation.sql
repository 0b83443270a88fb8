-- Utilisation: (talk + hold + wrap-up) / logged-in time.
CREATE OR REPLACE VIEW kpi_utilisation AS
SELECT agent, interval_start,
    (talking_s + wrap_up_s) / nullif(talking_s + wrap_up_s + ready_s + reserved_s + not_ready_s, 0) AS utilisation,
    talking_s, wrap_up_s, ready_s, reserved_s, not_ready_s
FROM kpi_agent_time;
