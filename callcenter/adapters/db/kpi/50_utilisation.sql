-- Utilisation: (talk + hold + wrap-up) / logged-in time.
CREATE OR REPLACE FUNCTION kpi_utilisation(from_at timestamptz, to_at timestamptz, slice text, zone text, until_at timestamptz DEFAULT now())
RETURNS TABLE (agent text, slice_at timestamptz, utilisation numeric)
LANGUAGE sql STABLE AS $$
    SELECT t.agent, t.slice_at,
        (t.talking_s + t.wrap_up_s) / nullif(t.talking_s + t.wrap_up_s + t.ready_s + t.reserved_s + t.not_ready_s, 0)
    FROM kpi_agent_time(from_at, to_at, slice, zone, until_at) t
$$;
