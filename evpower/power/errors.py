"""What a change of a site's groups is refused for."""

from __future__ import annotations

from evpower.errors import NotFound, Refusal


class NoSuchGroup(NotFound):
    """No group has this number, or the feature is switched off."""

    message = "Такой группы мощности нет"


class GroupHasGroups(Refusal):
    """There are groups below it."""

    code = "invalid_request"
    message = "В группе есть другие группы: сначала удалите их"

    def __init__(self) -> None:
        super().__init__(reason="group_has_groups")


class GroupHasChanged(Refusal):
    """It is not any more what the change was made of."""

    code = "invalid_request"
    message = "Группу тем временем изменили"

    def __init__(self) -> None:
        super().__init__(reason="group_has_changed")
