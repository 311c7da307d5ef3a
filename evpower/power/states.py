"""What happens to a member, as the next state of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from evpower.power.allocation import TURN
from evpower.power.allocation import had_of_turn as had_before
from evpower.power.possible_draw import GrantAnswer, MemberState


def answered(state: MemberState, sent_at: datetime, answer: GrantAnswer, at: datetime) -> MemberState:
    """What was sent then was answered; what it makes obsolete is forgotten."""
    grants = [each.answered(answer, at) if each.sent_at == sent_at else each for each in state.grants]
    accepted = max((n for n, each in enumerate(grants) if each.answer is GrantAnswer.ACCEPTED), default=0)
    return replace(state, grants=tuple(grants[accepted:]))


def began(state: MemberState, at: datetime) -> MemberState:
    """The charge that was asked for began, and with it the lease of its first grant; a card's has none."""
    grants = tuple(
        replace(each, answer=GrantAnswer.ACCEPTED, had_by=at) for each in state.grants if each.had_by is None
    )
    return replace(state, has_begun=True, grants=grants)


def expired(state: MemberState, now: datetime) -> MemberState:
    """Without the grants that certainly hold no more."""
    grants = tuple(each for each in state.grants if each.ends_by is None or now < each.ends_by)
    return state if len(grants) == len(state.grants) else replace(state, grants=grants)


def turned(state: MemberState, now: datetime) -> MemberState:
    """Since when its charge has a grant, or waits for one, by what the station accepted last.

    A turn that was cut short, by a limit or by another that draws too much, goes on with the next grant: it has waited
    all the time, and whoever waits behind it waits for the rest of that turn, not for another whole one.
    """
    wish, held = state.wish, state.commanded
    if wish is None:
        return state
    had_of_turn, waits_since = timedelta(), wish.waits_since
    held_since: datetime | None = None
    if held is not None and held.current_da > 0:
        held_since = wish.held_since or now - had_before(wish, now)
        if now - held_since >= TURN:
            waits_since = None
    else:
        had_of_turn = wish.had_of_turn if wish.held_since is None else min(TURN, now - wish.held_since)
        waits_since = waits_since or now
    if (held_since, waits_since, had_of_turn) == (wish.held_since, wish.waits_since, wish.had_of_turn):
        return state
    turn = replace(wish, held_since=held_since, waits_since=waits_since, had_of_turn=had_of_turn)
    return replace(state, wish=turn)
