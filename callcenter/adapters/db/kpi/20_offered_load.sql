-- Offered load in erlangs: arrival rate x AHT. A slice that the window cuts counts with the part inside.
CREATE OR REPLACE FUNCTION kpi_offered_load(from_at timestamptz, to_at timestamptz, slice text, zone text)
RETURNS TABLE (queue text, slice_at timestamptz, offered_load numeric)
LANGUAGE sql STABLE AS $$
    SELECT s.queue, s.slice_at,
        s.offered * ((s.handled_talk_s + s.handled_hold_s + s.handled_wrap_up_s) / nullif(s.handled, 0))
        / extract(epoch FROM least(kpi_slice_end(s.slice_at, slice, zone), to_at) - greatest(s.slice_at, from_at))
    FROM kpi_sums(from_at, to_at, slice, zone) s
$$;
