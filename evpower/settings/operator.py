"""The settings of the operators' pages (contract/operator-pages §1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evpower.money import TYIYN_PER_SOM
from evpower.settings.addresses import Bind, Binds
from evpower.settings.values import Text, Whole, setting


@dataclass(frozen=True)
class OperatorSettings:
    """The listener for operators' pages; empty: there is none."""

    bind: tuple[Bind, ...] = setting((Bind("127.0.0.1", 8081),), Binds(may_be_empty=True))
    backup_path: str = setting("", Text())
    given_away_limit_som: int = setting(1_000, Whole(0, 100_000_000))

    @property
    def given_away_limit_tyiyn(self) -> int:
        return self.given_away_limit_som * TYIYN_PER_SOM


def contradictions(operator: OperatorSettings, phones: Sequence[Bind]) -> list[str]:
    """The pages are never where phones are, so that no proxy opens them by mistake."""
    shared = [bind for bind in operator.bind if bind.port and bind in phones]
    return [
        f"operator.bind: {bind} is http.bind too; the operators' pages need an address of their own" for bind in shared
    ]


def doubts(operator: OperatorSettings) -> list[str]:
    """What works and may surprise."""
    open_to = [str(bind) for bind in operator.bind if not bind.is_loopback]
    if not open_to:
        return []
    return [
        f"operator.bind {', '.join(open_to)} shows the operators' pages to others than this machine, without TLS of its"
        " own: put a proxy with TLS in front, or reach 127.0.0.1 through ssh -L"
    ]
