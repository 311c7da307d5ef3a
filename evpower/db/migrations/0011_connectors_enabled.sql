-- A connector an administrator has taken out of use, whatever its charger says: no charge starts there, and `status` is
-- 'unavailable' unless a charge still runs. The change of `status` is told by its trigger.
ALTER TABLE public.connectors ADD COLUMN is_enabled boolean NOT NULL DEFAULT true;
