"""A browser, signed in, that complains."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

FOREIGN = "return performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(location.origin))"
IS_READ = "return document.readyState === 'complete'"


class Eyes:
    """A browser, signed in, that complains."""

    def __init__(self, driver: webdriver.Chrome, url: str, shots: Path) -> None:
        self.driver = driver
        self.url = url
        self._shots = shots

    def open(self, path: str) -> None:
        """A page, without a complaint of the browser, and without anything from elsewhere."""
        self.driver.get(self.url + path)
        self.wait(lambda: self.driver.execute_script(IS_READ))
        assert self.driver.execute_script(FOREIGN) == [], path
        # A recommendation is none: that a password of a station has no user's name beside it.
        complaints = [each for each in self._log("browser") if each["source"] != "recommendation"]
        assert not complaints, (path, complaints)

    def forget_complaints(self) -> None:
        """What came before does not count."""
        self._log("browser")

    def _log(self, kind: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = self.driver.get_log(kind)  # type: ignore[no-untyped-call]
        return found

    def choose(self, language: str, look: str = "light") -> None:
        self.driver.add_cookie({"name": "evpower_language", "value": language})
        self.driver.add_cookie({"name": "evpower_look", "value": look})

    @contextmanager
    def narrow(self) -> Iterator[None]:
        """A phone's screen."""
        size = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": True}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        yield
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def shot(self, name: str) -> None:
        self.driver.save_screenshot(str(self._shots / f"{name}.png"))

    def wait(self, happened: Callable[[], object], at_most_s: float = 30) -> None:
        """Until it is so."""
        WebDriverWait(self.driver, at_most_s, poll_frequency=0.1).until(lambda _: happened(), "waited in vain")

    def click(self, by: str, value: str) -> None:
        """An element; a list that was sent anew meanwhile has another one in its place."""

        def clicked() -> bool:
            try:
                self.driver.find_element(by, value).click()
            except StaleElementReferenceException:
                return False
            return True

        self.wait(clicked)

    def wait_for_another(self, before: WebElement) -> None:
        """Until another page than that of this element is there, and read."""

        def is_gone() -> bool:
            try:
                before.tag_name  # noqa: B018  # asking is what tells
            except StaleElementReferenceException:
                return bool(self.driver.execute_script(IS_READ))
            return False

        self.wait(is_gone)

    def weight(self, path: str) -> int:
        """Bytes of a page, compressed."""
        cookies = "; ".join(f"{each['name']}={each['value']}" for each in self.driver.get_cookies())
        headers = {"Accept-Encoding": "gzip", "Cookie": cookies}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers)) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            return len(answer.read())
