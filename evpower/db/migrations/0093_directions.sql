-- How a location is reached (roadmap/forecast-navigation §5): where cars turn in, what a driver must know (an object of
-- ru, ky, en), the height of a gate, and when it is open (OCPI Hours).
ALTER TABLE public.locations
    ADD COLUMN entrance_latitude  double precision CHECK (entrance_latitude BETWEEN -90 AND 90),
    ADD COLUMN entrance_longitude double precision CHECK (entrance_longitude BETWEEN -180 AND 180),
    ADD COLUMN directions         jsonb CHECK (jsonb_typeof(directions) = 'object'),
    ADD COLUMN height_limit_m     double precision CHECK (height_limit_m > 0),
    ADD COLUMN opening_hours      jsonb CHECK (jsonb_typeof(opening_hours) = 'object');
