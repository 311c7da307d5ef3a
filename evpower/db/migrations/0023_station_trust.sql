-- How far a station's socket may be believed: the highest security profile it was seen on (it is refused below), when its
-- certificates ended (by an operator, or by a new password), and when an operator asked it to renew one.
CREATE TABLE evpower.station_trust (
    station_id text PRIMARY KEY REFERENCES public.stations (id) ON DELETE CASCADE,
    profile_seen smallint NOT NULL DEFAULT 0 CHECK (profile_seen BETWEEN 0 AND 3),
    certificates_ended_at timestamptz,
    renewal_asked_at timestamptz
);

-- Since when a charge is in doubt because a second socket took the place of its charger's, which was alive.
ALTER TABLE evpower.session_phases ADD COLUMN twin_at timestamptz;
