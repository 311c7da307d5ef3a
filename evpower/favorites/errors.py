"""What is no favorite, and not waited for (contract/roadmap/history-favorites-push §2)."""

from __future__ import annotations

from evpower.errors import Refusal


class NoSuchLocation(Refusal):
    """Unknown, or not shown (contract/roadmap/history-favorites-push §2: a 200)."""

    code = "not_found"
    message = "Локация не найдена"


class TooManyFavorites(Refusal):
    code = "invalid_request"
    message = "Слишком много избранных локаций"

    def __init__(self) -> None:
        super().__init__(reason="too_many_favorites")


class TooManyWatches(Refusal):
    code = "invalid_request"
    message = "Слишком много ожидаемых локаций"

    def __init__(self) -> None:
        super().__init__(reason="too_many_watches")
