"""The language of the terminal that a command runs in."""

from __future__ import annotations

import os

from evpower.texts.catalogue import Catalogue, language_of, load

TOPIC = "command_line"


def terminal_texts() -> Catalogue:
    """What `evpower` prints, in the language that `LC_ALL`, `LC_MESSAGES` or `LANG` names."""
    return load(language_of(os.environ), TOPIC)
