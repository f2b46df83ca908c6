"""The page in a real browser: what a person sees, hears and can reach with the keyboard."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from linewatch.core.messages import Cause, Detection

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
if CHROMIUM is None or DRIVER is None:
    pytest.skip(
        "chromium and chromedriver (Debian: chromium, chromium-driver) are not installed", allow_module_level=True
    )
webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")

CRACK = Detection("crack", 0.93, 200.0, 100.0, 60.0, 40.0, "reject")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
LARGE, SMALL = (1920, 1080), (390, 844)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory(prefix="lwchrome", ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        yield driver
        driver.quit()


@pytest.fixture
def screen(browser: Any, page: Any) -> Iterator[Any]:
    """The page, opened at the size of a large screen, in light."""
    look(browser, LARGE, dark=False)
    browser.get_log("browser")
    browser.get(page.url)
    yield browser
    browser.get("about:blank")


def look(browser: Any, size: tuple[int, int], *, dark: bool) -> None:
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def text(browser: Any, selector: str) -> str:
    return str(browser.execute_script("return document.querySelector(arguments[0]).textContent", selector)).strip()


def shows(browser: Any, word: str, why: str) -> bool:
    return (text(browser, "#word"), text(browser, "#why")) == (word, why)


def until(condition: Callable[[], Any], limit_s: float = 30.0) -> float:
    """Seconds until `condition` held."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < limit_s
        time.sleep(0.02)
    return time.monotonic() - began


def colour(browser: Any, selector: str) -> tuple[int, ...]:
    """Red, green and blue of an element's ground."""
    script = "return getComputedStyle(document.querySelector(arguments[0])).backgroundColor"
    return tuple(int(word) for word in browser.execute_script(script, selector)[4:-1].split(","))


def test_every_verdict_is_a_word_a_symbol_and_a_colour(screen: Any, line: Any) -> None:
    until(lambda: text(screen, "#line-word") == "RUNNING")
    assert text(screen, "#word") == "NO PART YET"
    seen = set()
    for cause, word, why in ((Cause.OK, "PASS", ""), (Cause.DEFECT, "REJECT", "crack 0.93"),
                             (Cause.TIMEOUT, "REJECT", "in doubt: timeout")):  # fmt: skip
        line.decide(cause, (CRACK,) if cause is Cause.DEFECT else ())
        until(partial(shows, screen, word, why))
        symbol = screen.execute_script("return document.querySelector('#verdict use').getAttribute('href')")
        seen.add((symbol, colour(screen, "#verdict")))
    assert len({symbol for symbol, _ in seen}) == len({ground for _, ground in seen}) == 3
    assert (text(screen, "#passed"), text(screen, "#defects"), text(screen, "#failsafe")) == ("1", "1", "1")
    assert screen.title == "REJECT · t1"


def test_a_dead_line_and_a_dead_page_turn_red_within_a_second(screen: Any, line: Any, page: Any) -> None:
    until(lambda: text(screen, "#line-word") == "RUNNING")
    line.decide()
    until(lambda: text(screen, "#word") == "PASS")
    line.alive = False
    assert until(lambda: text(screen, "#word") == "LINE SILENT") < 10.0  # 1 s is promised
    red, green, blue = colour(screen, "#verdict")
    assert red > 2 * max(green, blue)
    assert text(screen, "#per-minute") == "–"
    line.alive = True
    until(lambda: text(screen, "#word") == "PASS")
    page.process.kill()
    assert until(lambda: text(screen, "#word") == "NO CONTACT") < 10.0
    faded = "return getComputedStyle(document.getElementById('health')).opacity"
    assert float(screen.execute_script(faded)) < 1


def test_rejects_are_pictures_with_boxes_and_a_missing_file_says_so(screen: Any, line: Any) -> None:
    until(lambda: text(screen, "#line-word") == "RUNNING")
    for _ in range(2):
        line.log(line.decide(Cause.DEFECT, (CRACK,)))
    loaded = "return [...document.querySelectorAll('#tiles image')].length"
    until(lambda: screen.execute_script(loaded) == 2)
    box = screen.execute_script("return document.querySelector('#tiles .box').getBoundingClientRect().toJSON()")
    frame = screen.execute_script("return document.querySelector('#tiles a').getBoundingClientRect().toJSON()")
    assert frame["left"] < box["left"] < box["right"] < frame["right"]
    line.decide(Cause.DEFECT, (CRACK,))  # never recorded
    until(lambda: "no picture: waiting for the recorder" in text(screen, "#tiles"))
    for file in (line.folder / "out").rglob("*.png"):
        file.unlink()
    screen.execute_cdp_cmd("Network.clearBrowserCache", {})
    screen.refresh()
    until(lambda: text(screen, "#tiles").count("the picture is gone or damaged") == 2)


def test_keyboard_and_screen_reader(screen: Any, line: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    until(lambda: "RUNNING" in text(screen, "[role=status]"))
    line.log(line.decide(Cause.DEFECT, (CRACK,)))
    until(lambda: screen.execute_script("return document.querySelectorAll('#tiles a').length") == 1)
    until(lambda: "part 1 rejected, crack 0.93" in text(screen, "[role=status]"))
    body = screen.switch_to.active_element
    reached = []
    for _ in range(2):
        body.send_keys(Keys.TAB)
        body = screen.switch_to.active_element
        reached.append(body.tag_name)
    assert reached == ["button", "a"]
    button = screen.find_element("id", "theme")
    button.send_keys(Keys.ENTER)
    assert button.get_attribute("aria-pressed") == "true"
    assert screen.execute_script("return document.documentElement.dataset.theme") == "dark"
    screen.execute_script("localStorage.clear()")
    assert screen.execute_script("return document.querySelector('#tiles svg.picture').getAttribute('aria-label')")
    unnamed = "return document.querySelectorAll('section:not([aria-label]):not([aria-labelledby])').length"
    assert screen.execute_script(unnamed) == 0


CONTRAST = """
const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
  .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const found = parse(getComputedStyle(at).backgroundColor);
    if (found.length < 4 || found[3] > 0) return found;
  }
  return [255, 255, 255];
};
return [...document.querySelectorAll('main *, header *, footer *')]
  .filter((one) => one instanceof HTMLElement)
  .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()))
  .map((one) => {
    const [a, b] = [luminance(parse(getComputedStyle(one).color)), luminance(ground(one))];
    return [one.id || one.className || one.tagName, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
  })
  .filter(([, ratio]) => ratio < 4.5);
"""


@pytest.mark.parametrize("dark", [False, True])
def test_contrast_and_room_at_every_size(screen: Any, line: Any, dark: bool) -> None:
    until(lambda: text(screen, "#line-word") == "RUNNING")
    line.log(line.decide(Cause.TIMEOUT), picture=False)
    line.log(line.decide(Cause.DEFECT, (CRACK,)))
    line.status = {"alarms": ("reject_rate",), "reject_rate": 0.3, "actuators": 0}
    until(lambda: text(screen, "#alarms").startswith("ALARM"))
    for size in (LARGE, (1280, 720), SMALL):
        look(screen, size, dark=dark)
        time.sleep(0.3)
        assert screen.execute_script(CONTRAST) == [], size
        assert screen.execute_script("return document.documentElement.scrollWidth <= innerWidth"), size
        fits = "return document.getElementById('word').scrollWidth <= document.getElementById('word').clientWidth"
        assert screen.execute_script(fits), size
    severe = [said for said in screen.get_log("browser") if said["level"] == "SEVERE"]
    assert severe == []


@pytest.mark.parametrize("dark", [False, True])
def test_the_fleet_is_seen_heard_and_reached(
    browser: Any, stations: Callable[[str], Any], fleet_page: Callable[..., Any], dark: bool
) -> None:
    from selenium.webdriver.common.keys import Keys

    first, second = stations("t1"), stations("t2")
    listed = [
        {"name": "Line 1", "url": first.page.url}, {"name": "Line 2", "url": second.page.url},
        {"name": "Line 3", "url": "http://127.0.0.1:9/"},
    ]  # fmt: skip
    fleet = fleet_page({"stations": listed, "every_s": 0.2, "timeout_s": 2.0})
    look(browser, LARGE, dark=dark)
    browser.get_log("browser")
    browser.get(fleet.url)
    until(lambda: text(browser, "#whole-word") == "2 of 3 well")
    assert names(browser) == ["Line 3", "Line 1", "Line 2"]
    assert "UNREACHABLE" in text(browser, ".card") and "connection refused" in text(browser, ".card")
    assert "UNREACHABLE" in text(browser, "#whole-detail")
    for _ in range(3):
        second.line.decide()
    second.line.decide(Cause.DEFECT, (CRACK,))
    second.line.status = {"alarms": ("reject_rate",), "reject_rate": 0.31}
    until(lambda: names(browser) == ["Line 3", "Line 2", "Line 1"])
    until(lambda: "shift: 3 pass, 1 defect" in text(browser, "[data-name='Line 2']"))
    assert "ALARM  reject_rate" in text(browser, "[data-name='Line 2']")
    until(lambda: text(browser, "[role=status]") == "Line 2: RUNNING, alarm reject_rate")
    for size in (LARGE, (1280, 720), SMALL):
        look(browser, size, dark=dark)
        time.sleep(0.3)
        assert browser.execute_script(CONTRAST) == [], size
        assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth"), size

    browser.execute_script("document.querySelector(\"[data-name='Line 1']\").focus()")
    os.kill(first.page.process.pid, signal.SIGSTOP)
    until(lambda: names(browser)[:2] == ["Line 3", "Line 1"] or names(browser)[:2] == ["Line 1", "Line 3"])
    assert "no answer within 2 s" in text(browser, "[data-name='Line 1']")
    assert browser.execute_script("return document.activeElement.dataset.name") == "Line 1"
    os.kill(first.page.process.pid, signal.SIGCONT)
    until(lambda: "RUNNING" in text(browser, "[data-name='Line 1']"))
    severe = [said for said in browser.get_log("browser") if said["level"] == "SEVERE"]
    assert severe == []
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    until(lambda: browser.current_url == first.page.url and text(browser, "#station") == "t1")
    browser.back()
    until(lambda: text(browser, "#whole-word") == "1 of 3 well" or text(browser, "#whole-word") == "2 of 3 well")
    fleet.process.kill()
    assert until(lambda: text(browser, "#whole-word") == "NO CONTACT") < 10.0
    browser.get("about:blank")


def names(browser: Any) -> list[str]:
    return list(browser.execute_script("return [...document.querySelectorAll('.card')].map((one) => one.dataset.name)"))
