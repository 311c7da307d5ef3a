-- Why a charge ended (field ruling 4.5). `stop_reason` of the session is what its station gave as a reason, or what we did.
-- NULL: it goes on, or ended before this was kept.
ALTER TABLE evpower.session_phases
    ADD COLUMN end_cause text CONSTRAINT session_phases_end_cause CHECK (end_cause IN
        ('limit', 'driver', 'operator', 'charger', 'overdue', 'reboot', 'lost'));

-- Charges whose stop has not come: what they deliver after their bill is noted.
CREATE INDEX ocpp_transactions_without_stop ON evpower.ocpp_transactions (charging_session_id)
    WHERE stop_received_at IS NULL;

-- What nobody pays for, as it is listed and summed.
CREATE INDEX session_phases_unbilled ON evpower.session_phases (session_id) WHERE unbilled_wh > 0 OR unbilled_tyiyn > 0;
CREATE INDEX ocpp_transactions_refused ON evpower.ocpp_transactions (started_at)
    WHERE charging_session_id IS NULL AND NOT free_vend;
