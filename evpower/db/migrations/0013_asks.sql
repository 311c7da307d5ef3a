-- A process asks another's charger in our own words, not in those of the charger's OCPP.
ALTER TABLE evpower.charger_commands
    DROP CONSTRAINT charger_commands_kind_check,
    ADD CONSTRAINT charger_commands_kind_check CHECK (kind IN ('remote_start', 'remote_stop', 'ask', 'raw'));

-- The list of cards a charger took last is kept in our words too.
UPDATE evpower.ocpp_local_lists SET entries = (
    SELECT coalesce(jsonb_object_agg(id_tag, jsonb_strip_nulls(jsonb_build_object(
        'status', card -> 'status',
        'expires_at', card -> 'expiryDate',
        'parent_id_tag', card -> 'parentIdTag'
    ))), '{}')
    FROM jsonb_each(entries) AS listed (id_tag, card)
);
