"""The language of the terminal that a command runs in."""

from __future__ import annotations

import os

from evpower.texts.catalogue import Catalogue, language_of, load

TOPIC = "command_line"
HELP = "help"
DOCTOR = "doctor"


def terminal_texts() -> Catalogue:
    """What `evpower` prints, in the language that `LC_ALL`, `LC_MESSAGES` or `LANG` names."""
    return load(language_of(os.environ), TOPIC)


def terminal_help() -> Catalogue:
    """What `evpower --help` prints, in the same language."""
    return load(language_of(os.environ), HELP)


def terminal_findings() -> Catalogue:
    """What `evpower doctor` finds, for people, in the same language."""
    return load(language_of(os.environ), DOCTOR)
