-- offered: contacts that entered the queue = answered + abandoned + overflowed + still waiting.
CREATE OR REPLACE VIEW kpi_offered AS
SELECT queue, interval_start, offered FROM kpi_sums;
