-- Every start by card looked through all charges there ever were for one of its tag that was given up there, and the
-- settler every minute through all bills for estimates that a stop may correct.
CREATE INDEX charging_sessions_tag ON public.charging_sessions (station_id, ltrim(lower(id_tag), '+'));
CREATE INDEX session_phases_estimated ON evpower.session_phases (session_id) WHERE estimated AND corrected_at IS NULL;
-- Analysed in a night without charges they looked as if an index of what goes on were the shortest way to any charge, and in a
-- large table the next analysis came after a tenth of it had changed. A hundred charges are enough now.
ALTER TABLE public.charging_sessions SET (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 500);
ALTER TABLE evpower.session_phases SET (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 500);
