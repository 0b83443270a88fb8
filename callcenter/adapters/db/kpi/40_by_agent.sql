-- All KPI of agents per agent and day of the center; what still lasts counts until now.
CREATE OR REPLACE VIEW kpi_by_agent AS
SELECT day, agent,
    (talking_s + wrap_up_s) / nullif(talking_s + wrap_up_s + ready_s + reserved_s, 0) AS occupancy,
    (talking_s + wrap_up_s) / nullif(talking_s + wrap_up_s + ready_s + reserved_s + not_ready_s, 0) AS utilisation,
    talking_s, wrap_up_s, ready_s, reserved_s, not_ready_s
FROM (
    SELECT (interval_start AT TIME ZONE time_zone)::date AS day, agent, sum(talking_s) AS talking_s, sum(wrap_up_s) AS wrap_up_s,
        sum(ready_s) AS ready_s, sum(reserved_s) AS reserved_s, sum(not_ready_s) AS not_ready_s
    FROM kpi_agent_time CROSS JOIN kpi_zone
    GROUP BY 1, 2
) spent;
