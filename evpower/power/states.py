"""What happens to a member, as the next state of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from evpower.power.allocation import LEAST_REST, TURN, Wish, had_of_turn
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
    all the time, and whoever waits behind it waits for the rest of that turn, not for another whole one. When little is
    left of it, it is over. While its station is away a car does not wait: no command could end that.
    """
    wish, held = state.wish, state.commanded
    if wish is None:
        return state
    turn = _held(wish, now) if held is not None and held.current_da > 0 else _waiting(wish, now, state.is_online)
    if turn == (wish.held_since, wish.waits_since, wish.away_since, wish.had_of_turn):
        return state
    return replace(state, wish=replace(wish, **turn._asdict()))


class _Turn(NamedTuple):
    """As in `Wish`."""

    held_since: datetime | None
    waits_since: datetime | None
    away_since: datetime | None = None
    had_of_turn: timedelta = timedelta()


def _held(wish: Wish, now: datetime) -> _Turn:
    held_since = wish.held_since or now - had_of_turn(wish, now)
    return _Turn(held_since, None if now - held_since >= TURN else wish.waits_since)


def _waiting(wish: Wish, now: datetime, is_online: bool) -> _Turn:
    had, waits_since = wish.had_of_turn, wish.waits_since
    if wish.held_since is not None:
        had = now - wish.held_since
        if had > TURN - LEAST_REST:
            had, waits_since = TURN, None
    if waits_since is not None and wish.away_since is not None and is_online:
        waits_since += now - wish.away_since
    return _Turn(None, waits_since or now, None if is_online else wish.away_since or now, had)
