-- What every KPI of contacts is made of, per queue and quarter of an hour in which the contacts entered it. All columns but the target
-- and the longest wait add up over any intervals and queues; ratios do not: divide the sums.
-- "in time" is within the queue's target of today (20 s for a queue that callcenter.toml never named).
-- "unreturned": handled contacts whose caller did not enter the same queue again within 7 days, of those "handled_known" whose
-- caller shows a number.
CREATE OR REPLACE VIEW kpi_sums AS
SELECT
    c.queue,
    kpi_interval(c.entered_at) AS interval_start,
    count(*) AS offered,
    count(*) FILTER (WHERE c.answered_at IS NOT NULL) AS answered,
    count(*) FILTER (WHERE c.state = 'abandoned') AS abandoned,
    count(*) FILTER (WHERE c.state = 'abandoned' AND c.short_abandon) AS short_abandoned,
    count(*) FILTER (WHERE c.state = 'overflowed') AS overflowed,
    count(*) FILTER (WHERE c.state IN ('waiting', 'offered')) AS still_waiting,
    coalesce(t.target_wait_s, 20) AS target_wait_s,
    count(*) FILTER (WHERE c.answered_at IS NOT NULL AND c.wait_s <= coalesce(t.target_wait_s, 20)) AS answered_in_time,
    count(*) FILTER (WHERE c.state = 'ended') AS handled,
    coalesce(sum(c.wait_s) FILTER (WHERE c.answered_at IS NOT NULL), 0) AS wait_s,
    coalesce(sum(c.talk_s) FILTER (WHERE c.state = 'ended'), 0) AS handled_talk_s,
    coalesce(sum(c.hold_s) FILTER (WHERE c.state = 'ended'), 0) AS handled_hold_s,
    coalesce(sum(c.wrap_up_s) FILTER (WHERE c.state = 'ended'), 0) AS handled_wrap_up_s,
    coalesce(max(c.wait_s), 0) AS longest_wait_s,
    count(*) FILTER (WHERE c.state = 'ended' AND c.caller <> '') AS handled_known,
    count(*) FILTER (WHERE c.state = 'ended' AND c.caller <> '' AND NOT EXISTS (
        SELECT FROM contact again
        WHERE again.queue = c.queue AND again.caller = c.caller AND again.caller <> ''
          AND again.entered_at > c.entered_at AND again.entered_at <= c.entered_at + interval '168 hours'
    )) AS unreturned
FROM contact c LEFT JOIN queue_target t ON t.queue = c.queue
GROUP BY c.queue, kpi_interval(c.entered_at), t.target_wait_s;
