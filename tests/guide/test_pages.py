"""Every block of commands on the operators' pages is run, or says why it is not and can at least be read by a shell."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.guide.page import ROOT, Block, blocks
from tests.guide.places import placed

PAGES = ("docs/install.md", "docs/operating.md")
BLOCKS = [block for page in PAGES for block in blocks(page)]
SHELL = [block for block in BLOCKS if block.is_shell]
REASON_CHARS_MIN = 5


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_says_what_it_is_and_why_it_does_not_run(block: Block) -> None:
    assert block.info, "a fence says what is in it"
    if block.is_shell:
        assert block.runs or block.info == "sh grep" or len(block.reason) >= REASON_CHARS_MIN, block.info


@pytest.mark.external
@pytest.mark.parametrize("block", SHELL, ids=str)
def test_every_block_is_a_shells(block: Block) -> None:
    """A typing error in what is only shown is found too."""
    done = subprocess.run(["bash", "-n"], check=False, input=block.text, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_an_index(page: str) -> None:
    assert re.findall(r"--(?:extra-)?index-url|pypi\.|--trusted-host", (ROOT / page).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES)
def test_evpower_is_on_the_path(page: str) -> None:
    """No command names the directory it was installed in, but for the one of another version."""
    lines = "".join(block.text for block in SHELL if block.page == page).splitlines()
    shell = "\n".join(line for line in lines if not line.startswith("ln "))
    assert set(re.findall(r"(\S*/bin/)evpower ", shell)) <= {"/opt/evpower/1.1.0/bin/", "/usr/local/bin/"}


@pytest.mark.external
def test_systemd_takes_the_unit() -> None:
    """By its own check, where there is one."""
    verify = shutil.which("systemd-analyze")
    if verify is None:
        return
    done = subprocess.run(
        [verify, "verify", "--man=no", str(ROOT / "evpower.service")], check=False, capture_output=True, text=True
    )
    complaints = [line for line in done.stderr.splitlines() if "evpower.service" in line]
    assert [line for line in complaints if "is not executable: No such file" not in line] == []


def test_paths_and_ports_of_the_machine_are_moved_and_no_others() -> None:
    text = "cat /etc/evpower/x < /dev/null > ~/etc/y; curl http://127.0.0.1:8080/opt/z -c 127.0.0.1:900%i"
    moved = "cat /r/etc/evpower/x < /dev/null > ~/etc/y; curl http://127.0.0.1:18080/opt/z -c 127.0.0.1:1900%i"
    assert placed(text, Path("/r"), 1) == moved
