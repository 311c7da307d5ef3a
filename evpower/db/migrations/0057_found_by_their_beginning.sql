-- An operator writes the beginning of an id, or of a phone's number; LIKE uses an index of another collation alone.
CREATE INDEX charging_sessions_id_begins ON public.charging_sessions (id text_pattern_ops);
CREATE INDEX clients_id_begins ON public.clients (id text_pattern_ops);
CREATE INDEX clients_phone_begins ON public.clients (phone text_pattern_ops);
CREATE INDEX balance_topups_invoice_begins ON public.balance_topups (invoice_id text_pattern_ops);
CREATE INDEX balance_topups_order_begins ON public.balance_topups (order_id text_pattern_ops);

-- The case file of a charge: the attempts that made it, and the reports that a person gave to it.
CREATE INDEX start_attempts_session ON evpower.start_attempts (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX ocpp_parked_session ON evpower.ocpp_parked (session_id) WHERE session_id IS NOT NULL;
