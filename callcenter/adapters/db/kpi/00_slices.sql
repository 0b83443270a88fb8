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
