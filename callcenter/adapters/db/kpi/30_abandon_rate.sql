-- Abandon rate: (abandoned - short) / (offered - short).
CREATE OR REPLACE VIEW kpi_abandon_rate AS
SELECT queue, interval_start, (abandoned - short_abandoned)::numeric / nullif(offered - short_abandoned, 0) AS abandon_rate,
    abandoned, short_abandoned, offered
FROM kpi_sums;
