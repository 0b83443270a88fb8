-- Offered load in erlangs: arrival rate x AHT. An interval that still lasts counts as long as it has lasted.
CREATE OR REPLACE VIEW kpi_offered_load AS
SELECT queue, interval_start,
    offered * ((handled_talk_s + handled_hold_s + handled_wrap_up_s) / nullif(handled, 0))
        / kpi_elapsed_s(interval_start, interval_start + interval '15 minutes') AS offered_load,
    offered, handled_talk_s + handled_hold_s + handled_wrap_up_s AS handled_s, handled
FROM kpi_sums;
