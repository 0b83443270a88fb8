-- All KPI of contacts per queue and day of the center. A day that still lasts counts as long as it has lasted.
CREATE OR REPLACE VIEW kpi_by_queue AS
WITH counted AS (
    SELECT (interval_start AT TIME ZONE time_zone)::date AS day, queue,
        sum(offered)::bigint AS offered, sum(answered)::bigint AS answered, sum(abandoned)::bigint AS abandoned,
        sum(short_abandoned)::bigint AS short_abandoned, sum(overflowed)::bigint AS overflowed, sum(still_waiting)::bigint AS still_waiting,
        sum(answered_in_time)::bigint AS answered_in_time, sum(handled)::bigint AS handled, sum(wait_s) AS wait_s,
        sum(handled_talk_s) AS handled_talk_s, sum(handled_hold_s) AS handled_hold_s, sum(handled_wrap_up_s) AS handled_wrap_up_s,
        max(longest_wait_s) AS longest_wait_s, sum(handled_known)::bigint AS handled_known, sum(unreturned)::bigint AS unreturned,
        max(target_wait_s) AS target_wait_s
    FROM kpi_sums CROSS JOIN kpi_zone
    GROUP BY 1, 2
)
SELECT c.day, c.queue,
    c.offered, c.answered, c.abandoned, c.short_abandoned, c.overflowed, c.still_waiting, c.handled,
    c.answered_in_time::numeric / nullif(c.answered + c.abandoned - c.short_abandoned, 0) AS service_level,
    t.target_ratio, c.target_wait_s,
    c.wait_s / nullif(c.answered, 0) AS asa_s,
    c.longest_wait_s,
    (c.abandoned - c.short_abandoned)::numeric / nullif(c.offered - c.short_abandoned, 0) AS abandon_rate,
    (c.handled_talk_s + c.handled_hold_s + c.handled_wrap_up_s) / nullif(c.handled, 0) AS aht_s,
    c.offered * ((c.handled_talk_s + c.handled_hold_s + c.handled_wrap_up_s) / nullif(c.handled, 0))
        / kpi_elapsed_s(kpi_midnight(c.day, zone.time_zone), kpi_midnight(c.day + 1, zone.time_zone)) AS offered_load,
    c.unreturned::numeric / nullif(c.handled_known, 0) AS fcr,
    c.answered_in_time, c.wait_s, c.handled_talk_s, c.handled_hold_s, c.handled_wrap_up_s, c.handled_known, c.unreturned
FROM counted c
LEFT JOIN queue_target t ON t.queue = c.queue
CROSS JOIN kpi_zone zone;
