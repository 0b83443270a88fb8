-- How long each agent was in each state, per quarter of an hour; what still lasts counts until now. Adds up over intervals and agents.
-- An agent whose caller is on hold is talking: the state holds talk and hold.
CREATE OR REPLACE VIEW kpi_agent_time AS
WITH piece AS (
    SELECT a.agent, a.state, quarter AS interval_start,
        extract(epoch FROM least(coalesce(a.ended_at, now()), quarter + interval '15 minutes') - greatest(a.began_at, quarter)) AS spent_s
    FROM agent_state a, generate_series(kpi_interval(a.began_at), coalesce(a.ended_at, now()), interval '15 minutes') AS quarter
    WHERE a.state <> 'logged_out' AND greatest(a.began_at, quarter) < coalesce(a.ended_at, now())
)
SELECT
    agent,
    interval_start,
    coalesce(sum(spent_s) FILTER (WHERE state = 'talking'), 0) AS talking_s,
    coalesce(sum(spent_s) FILTER (WHERE state = 'wrap_up'), 0) AS wrap_up_s,
    coalesce(sum(spent_s) FILTER (WHERE state = 'ready'), 0) AS ready_s,
    coalesce(sum(spent_s) FILTER (WHERE state = 'reserved'), 0) AS reserved_s,
    coalesce(sum(spent_s) FILTER (WHERE state = 'not_ready'), 0) AS not_ready_s
FROM piece
GROUP BY agent, interval_start;
