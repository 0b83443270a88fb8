-- What became of callers who began in a flow, counted when the call began. calls = contained + dropped + queued + voicemail +
-- transferred + failed + still_open; all columns add up over any slices and flows.
-- "contained_returned": of the contained whose caller shows a number ("contained_known"), those whose caller called again within days.
CREATE OR REPLACE FUNCTION kpi_flows_in(from_at timestamptz, to_at timestamptz, slice text, zone text, days int DEFAULT 7)
RETURNS TABLE (
    flow text, slice_at timestamptz,
    calls bigint, contained bigint, dropped bigint, queued bigint, voicemail bigint, transferred bigint, failed bigint, still_open bigint,
    contained_known bigint, contained_returned bigint
)
LANGUAGE sql STABLE AS $$
    SELECT
        c.flow,
        kpi_slice(c.started_at, slice, zone),
        count(*),
        count(*) FILTER (WHERE c.flow_outcome = 'contained'),
        count(*) FILTER (WHERE c.flow_outcome = 'dropped'),
        count(*) FILTER (WHERE c.flow_outcome = 'queued'),
        count(*) FILTER (WHERE c.flow_outcome = 'voicemail'),
        count(*) FILTER (WHERE c.flow_outcome = 'transferred'),
        count(*) FILTER (WHERE c.flow_outcome = 'failed'),
        count(*) FILTER (WHERE c.flow_outcome IS NULL),
        count(*) FILTER (WHERE c.flow_outcome = 'contained' AND c.caller <> ''),
        count(*) FILTER (WHERE c.flow_outcome = 'contained' AND c.caller <> '' AND EXISTS (
            SELECT FROM cdr again
            WHERE again.caller = c.caller AND again.caller <> '' AND again.direction = 'inbound'
              AND again.started_at > c.started_at AND again.started_at <= c.started_at + days * interval '24 hours'
        ))
    FROM cdr c
    WHERE c.started_at >= from_at AND c.started_at < to_at AND c.direction = 'inbound' AND c.flow <> ''
    GROUP BY 1, 2
$$;

-- The stays at each node, counted when they began. All columns add up over any slices.
CREATE OR REPLACE FUNCTION kpi_flow_nodes_in(from_at timestamptz, to_at timestamptz, slice text, zone text)
RETURNS TABLE (
    flow text, node text, slice_at timestamptz, stays bigint, left_again bigint, spent_s numeric, retries bigint, dropped bigint, failed bigint
)
LANGUAGE sql STABLE AS $$
    SELECT
        v.flow, v.node, kpi_slice(v.entered_at, slice, zone),
        count(*), count(v.left_at), coalesce(sum(extract(epoch FROM v.left_at - v.entered_at)), 0), sum(v.tries)::bigint,
        count(*) FILTER (WHERE v.exit = 'caller_left'), count(*) FILTER (WHERE v.exit = 'failed')
    FROM flow_stay v
    WHERE v.entered_at >= from_at AND v.entered_at < to_at
    GROUP BY 1, 2, 3
$$;

-- How many callers went from which node by which exit to which other (empty: the flow was over).
CREATE OR REPLACE FUNCTION kpi_flow_edges_in(from_at timestamptz, to_at timestamptz)
RETURNS TABLE (flow text, node text, exit text, to_node text, callers bigint)
LANGUAGE sql STABLE AS $$
    SELECT v.flow, v.node, v.exit, v.to_node, count(*)
    FROM flow_stay v
    WHERE v.entered_at >= from_at AND v.entered_at < to_at AND v.left_at IS NOT NULL
    GROUP BY 1, 2, 3, 4
$$;
