"""What a transaction delivered as SQL: `BelievedRegister.energy_wh` of its row."""

from __future__ import annotations

ENERGY_WH = "(meter_carried_wh + greatest(0, meter_last_wh - coalesce(meter_base_wh, meter_start_wh)))"
