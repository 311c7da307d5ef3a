"""Answers of the doors of favorites (contract/rest-api §7.4): no key of theirs is ever null."""

from __future__ import annotations

from typing import Literal, TypedDict

from evpower.http.wire.described import Instant, Success


class FavoritesBody(TypedDict):
    """Ids of locations, the newest favorite first; those alone that are shown."""

    success: Success
    favorites: list[str]


class FavoriteAddedBody(TypedDict):
    """The location is a favorite."""

    success: Success
    already_exists: bool


class FavoriteRemovedBody(TypedDict):
    """The location is no favorite."""

    success: Success


class IsFavoriteBody(TypedDict):
    """Whether the location is a favorite."""

    success: Success
    is_favorite: bool


class WatchingBody(TypedDict):
    """One notice comes when a connector is free, if that is before this time."""

    success: Success
    watching_until: Instant


class FavoriteToggledBody(TypedDict):
    """What the location is now, and what was done."""

    success: Success
    is_favorite: bool
    action: Literal["added", "removed"]
