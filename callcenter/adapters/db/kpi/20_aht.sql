-- AHT: (talk + hold + wrap-up) / handled; handled is answered and wrapped up.
CREATE OR REPLACE FUNCTION kpi_aht(from_at timestamptz, to_at timestamptz, slice text, zone text)
RETURNS TABLE (queue text, slice_at timestamptz, aht_s numeric)
LANGUAGE sql STABLE AS $$
    SELECT s.queue, s.slice_at, (s.handled_talk_s + s.handled_hold_s + s.handled_wrap_up_s) / nullif(s.handled, 0)
    FROM kpi_sums(from_at, to_at, slice, zone) s
$$;
