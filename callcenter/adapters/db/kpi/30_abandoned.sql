-- abandoned: the caller hung up while waiting or while an agent's phone rang; short abandons included.
CREATE OR REPLACE VIEW kpi_abandoned AS
SELECT queue, interval_start, abandoned FROM kpi_sums;
