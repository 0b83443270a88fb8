-- answered: contacts bridged with an agent.
CREATE OR REPLACE VIEW kpi_answered AS
SELECT queue, interval_start, answered FROM kpi_sums;
