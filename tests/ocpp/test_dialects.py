"""Which version of OCPP is spoken on a socket."""

from __future__ import annotations

from evpower.ocpp.dialect import known_actions, usual
from evpower.ocpp.dialects import DIALECTS
from evpower.ocpp.door.admission import choose_subprotocol
from evpower.ocpp.v16.dialect import OCPP_16, Ocpp16


class Newer(Ocpp16):
    """A second version, as the door sees it."""

    subprotocols = frozenset({"ocpp2.0.1"})
    known_actions = frozenset({"TransactionEvent"})


NEWER = Newer()


def test_the_chargers_first_that_we_speak_wins_in_its_own_spelling() -> None:
    """Whatever the order of ours (contract ocpp201 §1)."""
    for ours in ((NEWER, OCPP_16), (OCPP_16, NEWER)):
        assert choose_subprotocol(["OCPP1.6", "ocpp2.0.1"], ours) == ("OCPP1.6", OCPP_16)
        assert choose_subprotocol(["ocpp2.0.1", "OCPP1.6"], ours) == ("ocpp2.0.1", NEWER)
        assert choose_subprotocol(["ocpp2.1", "ocpp2.0.1", "ocpp1.6"], ours) == ("ocpp2.0.1", NEWER)
    assert choose_subprotocol(["ocpp2.1"], (NEWER, OCPP_16)) is None


def test_a_charger_that_offers_nothing_speaks_the_oldest() -> None:
    assert usual((NEWER, OCPP_16)) is OCPP_16
    assert usual(DIALECTS) is OCPP_16


def test_the_labels_of_the_metrics_are_of_every_version() -> None:
    assert known_actions((NEWER, OCPP_16)) == OCPP_16.known_actions | {"TransactionEvent"}
