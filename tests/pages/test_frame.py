"""The frame of every page: nothing from elsewhere, three languages, two looks, no JavaScript needed (§1)."""

from __future__ import annotations

import hashlib
import re

import pytest

from evpower.pages.frame.assets import FOLDER, read_assets
from tests.worlds.charging import World
from tests.worlds.pages import Browser

VENDORED = re.compile(r"(\S+) +(\S+ \S+ \S+) +(\S+) +([0-9a-f]{64})")


def test_what_others_wrote_is_as_their_package_has_it() -> None:
    """Every script that is not ours is listed with its package, version, licence and hash, and has that hash."""
    listed = {
        match[1]: match[4] for line in (FOLDER / "VENDORED").read_text().splitlines() if (match := VENDORED.match(line))
    }
    assert set(listed) == {"htmx-4.0.1.min.js", "hx-sse-4.0.1.min.js"}
    for name, digest in listed.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name


def test_our_own_style_is_small() -> None:
    """§1: one CSS file of at most 12 KB; the scripts of others are 44 KB."""
    assets = read_assets()
    assert len(assets["pages.css"].body) <= 12_288
    assert sum(len(asset.gzipped) for asset in assets.values()) <= 30_000


@pytest.mark.parametrize("path", ["/", "/sign-in", "/second-factor", "/nowhere"])
async def test_a_page_loads_nothing_from_elsewhere_and_runs_no_text_of_its_own(browser: Browser, path: str) -> None:
    page = await browser.get(path, 404 if path == "/nowhere" else 200)
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http:" not in page.html.replace("http://localhost", "").replace("http://www.w3.org", "")
    assert "https:" not in page.html
    assert all(address.startswith("/static/") for address in page.loaded), page.loaded
    assert not [tag for tag, given in page.tags if any(name.startswith("on") or name == "style" for name in given)]


async def test_an_asset_has_its_hash_in_its_address_and_is_kept_for_ever(browser: Browser) -> None:
    page = await browser.get("/")
    for address in page.loaded:
        response = await browser.client.get(address, headers={"Accept-Encoding": "gzip"})
        assert response.status_code == 200
        assert "immutable" in response.headers["Cache-Control"]


@pytest.mark.parametrize(("language", "words"), [("ru", "Сеть"), ("ky", "Тармак"), ("en", "Network")])
async def test_a_page_is_in_the_language_that_was_chosen(browser: Browser, language: str, words: str) -> None:
    chosen = await browser.post("/choices", language=language, next="/")
    assert (chosen.status_code, chosen.headers["Location"]) == (303, "/")
    page = await browser.get("/")
    assert f'<html lang="{language}"' in page.html
    assert words in page.text


async def test_a_page_is_dark_when_that_was_chosen(browser: Browser) -> None:
    await browser.post("/choices", look="dark", next="/")
    assert 'data-look="dark"' in (await browser.get("/")).html


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", ""])
async def test_a_choice_sends_nobody_elsewhere(browser: Browser, elsewhere: str) -> None:
    assert (await browser.post("/choices", look="dark", next=elsewhere)).headers["Location"] == "/"


async def test_without_javascript_the_first_screen_reads_itself_anew(browser: Browser) -> None:
    assert '<noscript><meta http-equiv="refresh" content="30"></noscript>' in (await browser.get("/")).html


async def test_the_bar_says_how_old_the_picture_is_and_names_the_offset_once(browser: Browser, world: World) -> None:
    page = await browser.get("/")
    assert page.text.count("UTC+6") == 1
    assert "as of 12:00:00" in page.text
