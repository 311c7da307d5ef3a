-- Connectors that are kept for a client at this moment: what the public is shown, and what others' starts are refused by.
CREATE VIEW evpower.kept_connectors WITH (security_invoker = true) AS
SELECT station_id, connector_id, client_id, starts_at FROM evpower.reservations WHERE is_blocking;
