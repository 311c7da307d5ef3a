-- A station's own price is among the prices every process keeps for minutes: whoever changes it tells all, as whoever
-- changes a tariff does. However many stations a unit of work changes, it is told once.
CREATE TRIGGER tell_price AFTER UPDATE ON public.stations FOR EACH ROW
    WHEN ((OLD.tariff_plan_id, OLD.price_per_kwh, OLD.session_fee)
          IS DISTINCT FROM (NEW.tariff_plan_id, NEW.price_per_kwh, NEW.session_fee))
    EXECUTE FUNCTION evpower.tell_prices();
