-- When a day begins by the wall clock of a zone: the first moment of that date, where midnight comes twice or never, too.
CREATE OR REPLACE FUNCTION kpi_midnight(day timestamp, zone text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN ((day AT TIME ZONE zone) - interval '1 hour') AT TIME ZONE zone = day THEN (day AT TIME ZONE zone) - interval '1 hour'
        ELSE day AT TIME ZONE zone
    END
$$;

-- The slice of time that a moment lies in, by the wall clock of a zone; daylight saving makes days of 23 and 25 hours.
-- slice: '15min', '30min', 'hour', 'day', 'week', 'month', or 'all' for one slice without beginning and end.
CREATE OR REPLACE FUNCTION kpi_slice(at timestamptz, slice text, zone text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE slice
        WHEN '15min' THEN at - mod(extract(epoch FROM (at AT TIME ZONE zone)::time), 900) * interval '1 second'
        WHEN '30min' THEN at - mod(extract(epoch FROM (at AT TIME ZONE zone)::time), 1800) * interval '1 second'
        WHEN 'hour' THEN at - mod(extract(epoch FROM (at AT TIME ZONE zone)::time), 3600) * interval '1 second'
        WHEN 'all' THEN '-infinity'
        ELSE kpi_midnight(date_trunc(slice, at AT TIME ZONE zone), zone)
    END
$$;

-- Where the slice that begins at slice_at ends.
CREATE OR REPLACE FUNCTION kpi_slice_end(slice_at timestamptz, slice text, zone text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE slice
        WHEN '15min' THEN slice_at + interval '15 minutes'
        WHEN '30min' THEN slice_at + interval '30 minutes'
        WHEN 'hour' THEN slice_at + interval '60 minutes'
        WHEN 'all' THEN 'infinity'
        ELSE kpi_midnight(date_trunc(slice, slice_at AT TIME ZONE zone) + ('1 ' || slice)::interval, zone)
    END
$$;

-- The zone whose wall clock makes the center's days. Before the books have run for the first time: UTC.
CREATE OR REPLACE VIEW kpi_zone AS
SELECT coalesce((SELECT c.time_zone FROM center c), 'UTC') AS time_zone;

-- How many seconds of a span are over; all of them, too, of one that has not begun.
CREATE OR REPLACE FUNCTION kpi_elapsed_s(began_at timestamptz, ends_at timestamptz) RETURNS numeric
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT extract(epoch FROM CASE WHEN now() > began_at AND now() < ends_at THEN now() ELSE ends_at END - began_at)
$$;
