"""An id tag's row, as starts and lists read it."""

from __future__ import annotations

from evpower.tags.rows.id_tags import APP_TAG, Card, CardRecord, CardStatus, IdTagRow, ensure_app_tag, read_id_tag

__all__ = ["APP_TAG", "Card", "CardRecord", "CardStatus", "IdTagRow", "ensure_app_tag", "read_id_tag"]
