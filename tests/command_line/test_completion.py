"""Completion: each shell gets its script, and ids are those of the running server."""

from __future__ import annotations

import pytest

from tests.command_line.control_server import FakeControl, run


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str) -> None:
    script = run("completion", shell)
    assert script.exit_code == 0
    assert f"_EVPOWER_COMPLETE={shell}_complete" in script.stdout
    assert run("completion", "dash").exit_code == 2


def completed(words: str) -> list[str]:
    """What bash is offered for the last of these words."""
    environment = {"_EVPOWER_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    return run(env=environment, prog_name="evpower").stdout.split()


def test_ids_are_completed_by_the_server(control: FakeControl) -> None:
    control.succeed("/control/ids/sessions?begins=17", ["1703a9f7", "17bb0000"])
    assert completed("evpower session show 17") == ["plain,1703a9f7", "plain,17bb0000"]


def test_without_a_server_nothing_is_completed_and_nothing_said() -> None:
    assert completed("evpower session show 17") == []
    assert completed("evpower sess") == ["plain,session", "plain,sessions"]
