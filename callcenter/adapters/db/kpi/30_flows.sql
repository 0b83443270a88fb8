-- Per flow and quarter of an hour: containment, drop-off and repeat calls within 7 days, and the counts they are made of.
CREATE OR REPLACE VIEW kpi_flows AS
SELECT flow, slice_at AS interval_start, calls, contained, dropped, queued, voicemail, transferred, failed, still_open,
    contained_known, contained_returned,
    contained::numeric / nullif(calls - still_open, 0) AS containment,
    dropped::numeric / nullif(calls - still_open, 0) AS drop_off,
    contained_returned::numeric / nullif(contained_known, 0) AS repeat_calls
FROM kpi_flows_in('-infinity', 'infinity', '15min', 'UTC');

-- Per node and quarter of an hour: how many came, how long they stayed, how often they were asked again, how many hung up.
CREATE OR REPLACE VIEW kpi_flow_nodes AS
SELECT flow, node, slice_at AS interval_start, stays, left_again, spent_s, retries, dropped, failed
FROM kpi_flow_nodes_in('-infinity', 'infinity', '15min', 'UTC');
