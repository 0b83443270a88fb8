-- How long each agent was in each state, stays cut at the edges of slices; what still lasts counts until until_at.
CREATE OR REPLACE FUNCTION kpi_agent_time_in(
    from_at timestamptz, to_at timestamptz, slice text, zone text, until_at timestamptz DEFAULT now()
)
RETURNS TABLE (
    agent text, slice_at timestamptz,
    talking_s numeric, wrap_up_s numeric, ready_s numeric, reserved_s numeric, not_ready_s numeric
)
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE piece AS (
        SELECT s.agent, s.state, kpi_slice(s.began_at, slice, zone) AS slice_at, s.began_at AS piece_at, s.ended_at,
            least(s.ended_at, kpi_slice_end(kpi_slice(s.began_at, slice, zone), slice, zone)) AS piece_end
        FROM (
            SELECT a.agent, a.state, greatest(a.began_at, from_at) AS began_at, least(coalesce(a.ended_at, until_at), to_at) AS ended_at
            FROM agent_state a
            WHERE a.began_at < to_at AND coalesce(a.ended_at, until_at) > from_at AND a.state <> 'logged_out'
        ) s
        WHERE s.began_at < s.ended_at
        UNION ALL
        SELECT p.agent, p.state, kpi_slice(p.piece_end, slice, zone), p.piece_end, p.ended_at,
            least(p.ended_at, kpi_slice_end(kpi_slice(p.piece_end, slice, zone), slice, zone))
        FROM piece p
        WHERE p.piece_end < p.ended_at
    )
    SELECT p.agent, p.slice_at,
        coalesce(sum(extract(epoch FROM p.piece_end - p.piece_at)) FILTER (WHERE p.state = 'talking'), 0),
        coalesce(sum(extract(epoch FROM p.piece_end - p.piece_at)) FILTER (WHERE p.state = 'wrap_up'), 0),
        coalesce(sum(extract(epoch FROM p.piece_end - p.piece_at)) FILTER (WHERE p.state = 'ready'), 0),
        coalesce(sum(extract(epoch FROM p.piece_end - p.piece_at)) FILTER (WHERE p.state = 'reserved'), 0),
        coalesce(sum(extract(epoch FROM p.piece_end - p.piece_at)) FILTER (WHERE p.state = 'not_ready'), 0)
    FROM piece p
    GROUP BY 1, 2
$$;
