-- What a person decided about a report that matched nothing: the session it was given to, or that it was dismissed.
ALTER TABLE evpower.ocpp_parked
    ADD COLUMN resolved_at timestamptz,
    ADD COLUMN resolved_by text,
    ADD COLUMN resolution text CHECK (resolution IN ('assigned', 'dismissed')),
    ADD COLUMN resolution_reason text,
    ADD COLUMN session_id text REFERENCES public.charging_sessions,
    ADD CONSTRAINT ocpp_parked_resolved CHECK ((resolved_at IS NULL) = (resolution IS NULL));
