-- AHT: (talk + hold + wrap-up) / handled; handled is answered and wrapped up.
CREATE OR REPLACE VIEW kpi_aht AS
SELECT queue, interval_start, (handled_talk_s + handled_hold_s + handled_wrap_up_s) / nullif(handled, 0) AS aht_s,
    handled_talk_s, handled_hold_s, handled_wrap_up_s, handled
FROM kpi_sums;
