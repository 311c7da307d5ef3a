"""What a member may draw at most, whatever became of our commands (roadmap/smart-charging §3).

A grant is a lease at its station. Under it lies a permanent profile, so when a lease ends the member draws what it
rests at: less than a grant above it, more than one below. Each end is therefore counted twice, as early and as late as
it can be: a station has a command at some moment between its sending and its answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cached_property

from evpower.power.allocation import Wish
from evpower.power.site import Member

LEASE = timedelta(seconds=300)
#: Of a grant below what the member rests at: the end of such a lease raises its draw, so it lasts until every lease
#: that was granted beside it is over, also when it cannot be renewed any more.
LONG_LEASE = timedelta(seconds=600)
#: A measurement counts for so long.
FRESH = timedelta(seconds=90)
#: Before every moment that is asked for.
ALREADY = datetime.min.replace(tzinfo=UTC)


class GrantAnswer(Enum):
    """What became of the command that carried a grant."""

    WAITING = "sent"
    ACCEPTED = "accepted"
    #: It holds to what it had.
    REFUSED = "refused"
    #: No answer came: it may hold to it or not.
    LOST = "lost"


@dataclass(frozen=True)
class Grant:
    """A lease as it was sent."""

    current_da: int
    sent_at: datetime
    #: When it was answered, or when its answer would have come at the latest; in a start: when that charge began, None
    #: before.
    had_by: datetime | None
    answer: GrantAnswer = GrantAnswer.WAITING
    #: `LONG_LEASE` below what the member rests at.
    duration: timedelta = LEASE

    @property
    def ends_from(self) -> datetime:
        """The earliest moment of its end."""
        return self.sent_at + self.duration

    @property
    def ends_by(self) -> datetime | None:
        """The latest one; None: its charge has not begun."""
        return None if self.had_by is None else self.had_by + self.duration

    def answered(self, answer: GrantAnswer, at: datetime) -> Grant:
        return replace(self, answer=answer, had_by=at if answer is GrantAnswer.ACCEPTED else self.had_by)


@dataclass(frozen=True)
class MemberState:
    """A member at this moment."""

    member: Member
    is_online: bool
    #: Its station has the permanent profile; else it rests at all it can draw.
    has_failsafe: bool = True
    #: What a permanent profile of an operator, of a higher level than ours, lets it draw when nothing else holds.
    default_da: int = 0
    #: It refuses limits, or draws more than it was granted.
    is_uncontrolled: bool = False
    #: Of the charge that runs, or was asked for; None: idle.
    wish: Wish | None = None
    #: Its station has begun the charge: it can be commanded.
    has_begun: bool = True
    #: What it was sent before is sent once more: it was away, or its car asks for a schedule.
    renew_since: datetime | None = None
    #: In the order in which they were sent.
    grants: tuple[Grant, ...] = ()
    measured_da: int = 0
    measured_at: datetime | None = None

    @property
    def rests_at_da(self) -> int:
        rests_da = max(self.member.failsafe_da, self.default_da) if self.has_failsafe else self.member.nameplate_da
        return min(rests_da, self.member.nameplate_da)

    @cached_property
    def in_force(self) -> tuple[Grant, ...]:
        """The grants one of which its station holds to: the last it accepted, and what was not answered since."""
        since = max((n for n, grant in enumerate(self.grants) if grant.answer is GrantAnswer.ACCEPTED), default=0)
        return tuple(grant for grant in self.grants[since:] if grant.answer is not GrantAnswer.REFUSED)

    @cached_property
    def commanded(self) -> Grant | None:
        """The grant it last accepted."""
        return next((grant for grant in reversed(self.grants) if grant.answer is GrantAnswer.ACCEPTED), None)

    def waits(self) -> bool:
        """A command is under way."""
        return bool(self.grants) and self.grants[-1].answer is GrantAnswer.WAITING

    def most_da(self, now: datetime, until: datetime) -> int:
        """The most it may draw at any moment between the two, if nothing more is sent."""
        if self.is_uncontrolled:
            return self.member.nameplate_da
        if self.wish is None and self.is_online:
            return 0
        most_da = self._beyond(now)
        for grant in self.in_force:
            if grant.current_da > most_da and (grant.ends_by is None or now < grant.ends_by):
                most_da = grant.current_da
        if self.rests_at_da > most_da and self._rests_from is not None and self._rests_from <= until:
            most_da = self.rests_at_da
        return min(most_da, self.member.nameplate_da)

    @cached_property
    def _rests_from(self) -> datetime | None:
        """The first moment at which it may be without a lease; None: its charge has not begun, and will with one."""
        held = [grant for grant in self.in_force if grant.ends_by is not None]
        begins_with_grant = len(held) < len(self.in_force)
        if not begins_with_grant and all(grant.answer is not GrantAnswer.ACCEPTED for grant in held):
            return ALREADY
        return min((grant.ends_from for grant in held), default=None)

    def _beyond(self, now: datetime) -> int:
        """More than it accepted, measured since it did: what it has not given up cannot be given to others."""
        accepted = self.commanded
        if accepted is None or self.measured_at is None or accepted.had_by is None:
            return 0
        is_fresh = accepted.had_by < self.measured_at and now - self.measured_at <= FRESH
        return self.measured_da if is_fresh and self.measured_da * 10 > accepted.current_da * 11 else 0
