"""`python -m tests.browser [FOLDER]`: every page in three languages, with 0, 40 and 5,000 stations, 360 pixels, dark.

Nothing is loaded from elsewhere, nothing is logged by the browser, nothing is wider than the screen; keys work; the
budgets of contract/operator-pages §9 are measured; an old picture is marked when the process hangs and when PostgreSQL
does. Pictures are put into FOLDER. Needs Debian's `chromium` and `chromium-driver`.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import trio
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from evpower.pages.stations.acts import BY_NAME
from evpower.pages.stations.routes import TABS
from tests.browser.eyes import Eyes
from tests.browser.incidents import answer_all
from tests.browser.network import CHARGE, DRIVER, GROUP, make_network
from tests.browser.steps import measure
from tests.db.proxy import Proxy
from tests.e2e.process import Server
from tests.ports import free_port

SIZES = (0, 40, 5000)
LANGUAGES = ("ru", "ky", "en")
PATHS = (
    "/",
    "/charges",
    "/drivers",
    "/attempts",
    "/journal",
    "/search?q=abcd",
    "/map",
    "/money",
    "/network",
    "/network/stations",
    "/network/tariffs",
    "/network/cards",
    "/network/strangers",
    "/network/certificates",
    "/network/import",
    "/network/power",
    "/network/power/new",
    "/network/forecast",
    "/system",
    "/questions",
    "/todo",
)
#: Where there are stations.
STATION = "/stations/EVP-0001"
STATION_PATHS = (
    STATION,
    "/network/tariffs?station=EVP-0001&at=23:30",
    *(f"{STATION}/{tab}" for tab in TABS),
    *(f"{STATION}/do/{act}" for act in BY_NAME),
    f"/charges/{CHARGE}",
    f"/drivers/{DRIVER}",
    f"/drivers/{DRIVER}/do/adjust",
    f"{STATION}/call-sheet",
    f"/network/power/{GROUP}",
    f"/network/power/{GROUP}/edit",
    f"/network/power/{GROUP}/schedule?peaks=1",
    "/network/power/new?location=LOC-0001",
    "/network/forecast/LOC-0001",
)
GZIP_BYTES_MAX = 60 * 1024
PAINTED = "return performance.getEntriesByType('paint').map(e => e.startTime)[0]"
WIDTH = "return document.documentElement.scrollWidth"
#: A cell of a large network is a character; of a small one an element whose style has it.
CELLS = """const grid = document.querySelector(".grid");
const texts = [...grid.querySelectorAll(".s")].map(each => each.textContent.length);
return grid.matches(".dots") ? texts.reduce((sum, each) => sum + each, 0) : grid.querySelectorAll("i").length"""
#: Which row of To do has the focus, and on what.
FOCUSED = """const here = document.activeElement;
return [[...document.querySelectorAll("#todo li.item")].indexOf(here.closest("li.item")), here.textContent]"""
HAS_STATION = "return document.activeElement.closest('li.item').querySelector('[data-key=t]') !== null"
IS_OFF = "return document.getElementById('acts').disabled"
IS_STALE = "return document.body.classList.contains('stale')"
Say = Callable[[str], object]


def look(eyes: Eyes, server: Server, wire: Proxy, say: Say) -> None:
    """Everything."""
    with psycopg.connect(
        host=str(server.state_dir / "postgres"), user="postgres", dbname="postgres", autocommit=True
    ) as database:
        for stations in SIZES:
            _make(eyes, database, stations)
            _look_at(eyes, stations, say)
        _pointed_at(eyes)
        _make(eyes, database, 40)
        _waiting(eyes, database)
        answer_all(eyes, database, say)
        _keys(eyes)
        _hanging(eyes, server, say)
        _locked(eyes, database, say)
        _cut(eyes, wire, say)
    _killed(eyes, server, say)


def _make(eyes: Eyes, database: psycopg.Connection, stations: int) -> None:
    """A network of that size, which the process has read."""

    def is_seen() -> bool:
        eyes.driver.get(f"{eyes.url}/")
        return bool(eyes.driver.execute_script(CELLS) == stations * 2)

    make_network(database, stations)
    eyes.wait(is_seen)
    eyes.forget_complaints()


def _look_at(eyes: Eyes, stations: int, say: Say) -> None:
    paths = PATHS + STATION_PATHS if stations else PATHS
    for language in LANGUAGES:
        # Each page wide and light, and narrow and dark: a look changes no width, and a width no colour.
        for look_of in ("light", "dark"):
            eyes.choose(language, look_of)
            for path in paths if look_of == "light" else ():
                eyes.open(path)
            eyes.open("/")
            cells = eyes.driver.execute_script(CELLS)
            assert cells == stations * 2, (stations, cells)
            eyes.shot(f"now-{stations}-{language}-{look_of}")
            eyes.open("/map")
            eyes.shot(f"map-{stations}-{language}-{look_of}")
        with eyes.narrow():
            for path in paths:
                eyes.open(path)
                assert eyes.driver.execute_script(WIDTH) <= 360, (path, language)
            eyes.open("/")
            eyes.shot(f"now-{stations}-{language}-360")
    bytes_of_now, painted_ms = eyes.weight("/"), eyes.driver.execute_script(PAINTED)
    assert bytes_of_now <= GZIP_BYTES_MAX, bytes_of_now
    say(f"{stations} stations: Now is {bytes_of_now} bytes compressed, first paint after {painted_ms:.0f} ms\n")


def _keys(eyes: Eyes) -> None:
    eyes.choose("en")
    eyes.open("/")
    body = eyes.driver.find_element(By.TAG_NAME, "body")
    body.send_keys("/")
    assert eyes.driver.switch_to.active_element.get_attribute("id") == "search"
    eyes.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    eyes.driver.find_element(By.TAG_NAME, "body").send_keys("gc")
    eyes.wait(lambda: eyes.driver.current_url.endswith("/charges"))
    _keys_of_rows(eyes)


def _keys_of_rows(eyes: Eyes) -> None:
    """`j` and `k` go over the rows of To do, `t` and Enter open, `a` goes to what may be done; `?` shows all of it."""
    eyes.open("/")

    def at() -> tuple[int, str]:
        place, text = eyes.driver.execute_script(FOCUSED)
        return int(place), str(text)

    def press(keys: str) -> None:
        eyes.driver.switch_to.active_element.send_keys(keys)

    eyes.wait(lambda: "live" in eyes.driver.find_element(By.ID, "age").text)
    press("j")
    assert at()[0] == 0
    press("j")
    assert at()[0] == 1
    press("k")
    row, link = at()
    assert row == 0
    press("a")
    assert at()[0] == 0
    # The first row may be of a payment, which has no station.
    while not eyes.driver.execute_script(HAS_STATION):
        press("j")
    before = eyes.driver.find_element(By.TAG_NAME, "html")
    press("t")
    eyes.wait_for_another(before)
    assert "/stations/" in eyes.driver.current_url, link
    press("?")
    assert eyes.driver.find_element(By.ID, "help").is_displayed()
    press(Keys.ESCAPE)
    eyes.wait(lambda: not eyes.driver.find_element(By.ID, "help").is_displayed())


def _pointed_at(eyes: Eyes) -> None:
    """A dot says what it is when it is pointed at."""
    eyes.open("/")
    dot = eyes.driver.find_element(By.CSS_SELECTOR, ".dots .s")
    ActionChains(eyes.driver).move_to_element(dot).perform()
    eyes.wait(lambda: "EVP-" in (dot.get_attribute("title") or "") and "1 " in (dot.get_attribute("title") or ""))


def _waiting(eyes: Eyes, database: psycopg.Connection) -> None:
    """A list under the pointer holds still and says how many rows are new; they come when they are asked for."""
    eyes.choose("en")
    eyes.open("/")
    eyes.wait(lambda: "live" in eyes.driver.find_element(By.ID, "age").text)
    ActionChains(eyes.driver).move_to_element(eyes.driver.find_element(By.CSS_SELECTOR, "#todo h2")).perform()
    rows = len(eyes.driver.find_elements(By.CSS_SELECTOR, "#todo .item"))
    lost = "UPDATE stations SET last_heartbeat_at = now() - interval '10 minutes' WHERE id = ANY(%s)"
    database.execute(lost, (["EVP-0002", "EVP-0003", "EVP-0004"],))
    button = "#todo button.new"
    eyes.wait(lambda: eyes.driver.find_element(By.CSS_SELECTOR, button).text == "3 new")
    assert len(eyes.driver.find_elements(By.CSS_SELECTOR, "#todo .item")) == rows
    eyes.shot("new-rows")
    eyes.click(By.CSS_SELECTOR, button)
    eyes.wait(lambda: len(eyes.driver.find_elements(By.CSS_SELECTOR, "#todo .item")) == rows + 3)


def _hanging(eyes: Eyes, server: Server, say: Say) -> None:
    """The process says nothing for a while: whoever looks sees that, and sees it end."""
    eyes.open("/")
    eyes.wait(lambda: "live" in eyes.driver.find_element(By.ID, "age").text)
    server.signal(signal.SIGSTOP)
    eyes.wait(lambda: eyes.driver.execute_script(IS_STALE), 20)
    text = eyes.driver.find_element(By.ID, "stale").text
    eyes.shot("stale")
    server.signal(signal.SIGCONT)
    eyes.wait(lambda: not eyes.driver.execute_script(IS_STALE), 20)
    say(f"while the process hung: {json.dumps(text)}\n")


def _locked(eyes: Eyes, database: psycopg.Connection, say: Say) -> None:
    """PostgreSQL does not answer: ticks go on, and the picture grows old all the same."""
    eyes.open("/")
    with database.transaction():
        database.execute("LOCK TABLE stations IN ACCESS EXCLUSIVE MODE")
        eyes.wait(lambda: eyes.driver.execute_script(IS_STALE), 30)
    eyes.wait(lambda: not eyes.driver.execute_script(IS_STALE), 30)
    say("while PostgreSQL did not answer, the picture was marked as old\n")


def _cut(eyes: Eyes, wire: Proxy, say: Say) -> None:
    """Nothing passes between the browser and the server, and nobody is told; then it does, and a snapshot comes."""
    eyes.open("/")
    eyes.wait(lambda: "live" in eyes.driver.find_element(By.ID, "age").text)
    trio.from_thread.run_sync(wire.freeze)
    eyes.wait(lambda: eyes.driver.execute_script(IS_STALE), 30)
    assert eyes.driver.execute_script(IS_OFF), "buttons work on an old page"
    trio.from_thread.run_sync(wire.thaw)
    eyes.wait(lambda: not eyes.driver.execute_script(IS_STALE), 40)
    assert not eyes.driver.execute_script(IS_OFF)
    say("while the network was frozen, the page was marked as old, and its buttons were off\n")


def _killed(eyes: Eyes, server: Server, say: Say) -> None:
    """The process dies and another one comes: the page knows that it is old, and reads itself anew."""
    eyes.open("/")
    eyes.wait(lambda: "live" in eyes.driver.find_element(By.ID, "age").text)
    trio.from_thread.run(server.kill)
    eyes.wait(lambda: eyes.driver.execute_script(IS_STALE), 30)
    assert eyes.driver.execute_script(IS_OFF), "buttons work on an old page"
    eyes.shot("killed")
    trio.from_thread.run(server.start)
    eyes.wait(lambda: not eyes.driver.execute_script(IS_STALE), 60)
    eyes.forget_complaints()
    say("after the process was killed, the page was marked as old, and read itself anew from the next one\n")


def chromium() -> webdriver.Chrome:
    """Debian's, with Debian's driver: nothing is downloaded."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for each in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900"):
        options.add_argument(each)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(str(shutil.which("chromedriver"))))


async def main(state_dir: Path, shots: Path) -> None:
    """A server of its own, a wire to it that can be frozen, and a browser."""
    async with trio.open_nursery() as nursery:
        # A port of its own after a kill too: the browser comes back to the same address.
        port = free_port()
        server = Server(nursery, state_dir, operator_bind=f"127.0.0.1:{port}")
        await server.start()
        wire = Proxy("")
        wire.thaw()
        serve = partial(_carry, wire, port)
        listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        await trio.to_thread.run_sync(_browse, server, url, shots, wire)
        await server.stop()
        nursery.cancel_scope.cancel()


async def _carry(wire: Proxy, port: int, near: trio.SocketStream) -> None:
    """One connection; while the process is dead it ends as a refused one does."""
    with suppress(OSError):
        await wire.carry(near, ("127.0.0.1", port))
    await trio.aclose_forcefully(near)


def _browse(server: Server, url: str, shots: Path, wire: Proxy) -> None:
    program = (sys.executable, "-m", "evpower", "--json")
    driver = chromium()
    try:
        eyes = Eyes(driver, url, shots)
        driver.get(url + _link(server, program))
        eyes.wait(lambda: driver.current_url == f"{url}/")
        eyes.forget_complaints()
        look(eyes, server, wire, sys.stdout.write)
    finally:
        driver.quit()


def _link(server: Server, program: tuple[str, ...]) -> str:
    """The path of a one-time link, as an operator makes it."""
    told = ("--socket", str(server.control_socket), "--json")
    command = [*program[:3], "staff"]
    subprocess.run([*command, "add", "--role", "superadmin", "--id", "eyes", *told], check=True, capture_output=True)
    made = subprocess.run([*command, "link", "eyes", *told], check=True, capture_output=True, text=True)
    path: str = json.loads(made.stdout)["path"]
    return path


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "var/pages")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="evpower-") as place:
        trio.run(measure, Path(place), sys.stdout.write)
    with TemporaryDirectory(prefix="evpower-") as place:
        trio.run(main, Path(place), folder)
