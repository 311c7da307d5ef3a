-- Every start by card looked through all charges there ever were for one of its tag that was given up there, and the
-- settler every minute through all bills for estimates that a stop may correct.
CREATE INDEX charging_sessions_tag ON public.charging_sessions (station_id, ltrim(lower(id_tag), '+'));
CREATE INDEX session_phases_estimated ON evpower.session_phases (session_id) WHERE estimated AND corrected_at IS NULL;
