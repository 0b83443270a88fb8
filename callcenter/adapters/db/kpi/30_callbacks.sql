-- The funnel of callbacks per queue and quarter of an hour: offered, accepted, dialed, reached, bridged, kept in time.
CREATE OR REPLACE VIEW kpi_callbacks AS
SELECT queue, slice_at AS interval_start, offered, accepted, promised, dialed, reached, bridged, kept, kept_in_time, merged, broken,
    still_open, attempts
FROM kpi_callbacks_in('-infinity', 'infinity', '15min', 'UTC');
