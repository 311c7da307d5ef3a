"""An id tag's row, as starts, lists and imports read it."""

from __future__ import annotations

from evpower.tags.rows.id_tags import (
    APP_TAG,
    Card,
    CardRecord,
    CardStatus,
    IdTagRow,
    app_tags_among,
    ensure_app_tag,
    phones_among,
    read_id_tag,
)

__all__ = [
    "APP_TAG",
    "Card",
    "CardRecord",
    "CardStatus",
    "IdTagRow",
    "app_tags_among",
    "ensure_app_tag",
    "phones_among",
    "read_id_tag",
]
