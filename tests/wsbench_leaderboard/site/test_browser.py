"""The site in a real browser."""

import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

import wsbench
from support.zoos import write_made_up_zoo
from wsbench_leaderboard.site.build import build
from wsbench_leaderboard.site.facts import write_facts

pytestmark = pytest.mark.needs_chromium

Browser = webdriver.Chrome


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window; it notes what it asks for and what goes wrong."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip("chromium or chromedriver is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.set_capability("unhandledPromptBehavior", "ignore")  # an alert fails the next command
    for argument in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # which is not there for root
    started = Browser(options=options, service=webdriver.ChromeService(driver))
    yield started
    started.quit()


@pytest.fixture(scope="module")
def site(six_records, tmp_path_factory) -> Path:
    """The whole site, on disk, its zoo with facts; read only."""
    folder = tmp_path_factory.mktemp("site")
    records = shutil.copytree(six_records, folder / "records")
    zoo = wsbench.load_zoo(write_made_up_zoo(folder / "zoo"))
    digest = next(records.glob("made-up-v1/*.json")).read_text().partition('digest": "')[2][:71]
    path = write_facts(zoo, folder / "zoos")
    path.write_text(path.read_text().replace(zoo.content_digest, digest))
    build(records, folder / "out")
    return folder / "out"


@pytest.fixture
def show(browser, site) -> Iterator[Callable[..., Browser]]:
    """Open a page in a window of some width, with or without scripts."""

    def open_page(page: str = "index.html", width: int = 1280, scripts: bool = True) -> Browser:
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        browser.get((site / page).as_uri())
        return browser

    yield open_page
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def all_pages(site: Path) -> list[str]:
    return [path.relative_to(site).as_posix() for path in sorted(site.rglob("*.html"))]


def table(page: Browser) -> WebElement:
    return page.find_element(By.CSS_SELECTOR, "table.sortable")


def column(page: Browser, place: int) -> list[str]:
    """Return what is in a column of the first table's body."""
    rows = table(page).find_elements(By.CSS_SELECTOR, "tbody tr")
    return [row.find_elements(By.CSS_SELECTOR, "th, td")[place].text for row in rows]


def buttons(page: Browser) -> list[WebElement]:
    return table(page).find_elements(By.CSS_SELECTOR, "thead button")


def sorted_by(page: Browser) -> list[tuple[int, str]]:
    headings = table(page).find_elements(By.CSS_SELECTOR, "thead tr:last-child th")
    orders = [heading.get_dom_attribute("aria-sort") for heading in headings]
    return [(i, order) for i, order in enumerate(orders) if order]


def values(page: Browser, place: int) -> list[float]:
    """Return a column's numbers, top to bottom, without the stale row."""
    texts = [text.split("\n")[0].split(" ")[0] for text in column(page, place)[:-1]]
    return [float(text.replace("−", "-")) for text in texts]


def test_sorting__by_click_reorders_rows_and_says_so(show):
    page = show()
    ranked = column(page, 1)
    assert sorted_by(page) == [(0, "ascending")]
    buttons(page)[4].click()  # symmetry, best first
    assert sorted_by(page) == [(4, "descending")]
    down = values(page, 4)
    assert down == sorted(down, reverse=True)
    buttons(page)[4].click()
    assert sorted_by(page) == [(4, "ascending")]
    assert values(page, 4) == sorted(down)
    buttons(page)[1].click()  # method
    assert column(page, 1)[:-1] == sorted(ranked[:-1])
    buttons(page)[0].click()  # rank
    assert sorted_by(page) == [(0, "ascending")]
    assert column(page, 1) == ranked


@pytest.mark.parametrize("key", [Keys.ENTER, Keys.SPACE])
def test_sorting__by_keyboard_does_the_same_and_keeps_the_focus(show, key):
    page = show()
    before = column(page, 1)
    heading = buttons(page)[1]
    page.execute_script("arguments[0].focus()", heading)
    page.switch_to.active_element.send_keys(key)
    assert sorted_by(page) == [(1, "ascending")]
    page.switch_to.active_element.send_keys(key)
    assert sorted_by(page) == [(1, "descending")]
    assert page.switch_to.active_element == heading
    assert column(page, 1)[:-1] == sorted(before[:-1], reverse=True)


def test_sorting__leaves_stale_rows_and_times_of_other_machines_last(show):
    page = show()
    for _ in range(2):
        for place in range(len(buttons(page))):
            buttons(page)[place].click()
            assert column(page, 1)[-1].startswith("random")
    buttons(page)[10].click()  # time
    assert column(page, 1)[-2].startswith("svd")
    assert "†" in column(page, 10)[-2]


def test_records__execute_nothing(show, site):
    for name in all_pages(site):
        page = show(name)
        page.find_element(By.TAG_NAME, "h1")  # fails if an alert is open
        assert page.execute_script("return document.images.length") == 0
        scripts = page.find_elements(By.TAG_NAME, "script")
        assert len(scripts) == (name == "index.html")
    page = show(next(name for name in all_pages(site) if name.startswith("methods/long-")))
    assert "<script>alert(1)</script>" in page.find_element(By.CSS_SELECTOR, ".lede").text


def test_policy__stops_a_script_that_were_written_into_a_page(show, site):
    text = (site / "index.html").read_text()
    changed = site / "changed.html"
    changed.write_text(text.replace("<h1>", "<script>document.title='broken'</script><h1>"))
    page = show(changed.name)
    changed.unlink()
    assert page.title != "broken"
    assert any("Content Security Policy" in entry["message"] for entry in page.get_log("browser"))


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_pages__never_scroll_sideways(show, site, width):
    for name in all_pages(site):
        page = show(name, width)
        found = page.execute_script("return document.documentElement.scrollWidth")
        assert found <= width, name


def test_pages__say_on_a_phone_that_tables_scroll(show):
    for width, is_shown in ((390, True), (1280, False)):
        page = show(width=width)
        assert page.find_element(By.CSS_SELECTOR, ".cue").is_displayed() == is_shown


def test_picture__is_readable_on_a_phone(show):
    page = show(width=390)
    texts = page.find_elements(By.CSS_SELECTOR, ".heat g g text")
    assert len(texts) == 4 * 5  # the stale record is left out
    assert min(text.rect["height"] for text in texts) >= 10
    squares = [r.rect for r in page.find_elements(By.CSS_SELECTOR, ".heat rect")]
    for text, square in zip((text.rect for text in texts), squares, strict=True):
        assert square["x"] <= text["x"]
        assert text["x"] + text["width"] <= square["x"] + square["width"]
    headings = [h.rect for h in page.find_elements(By.CSS_SELECTOR, ".heat .heading")]
    for one, following in itertools.combinations(headings, 2):
        is_beside = one["x"] + one["width"] <= following["x"]
        assert is_beside or abs(one["y"] - following["y"]) >= 10
    names = [name.rect for name in page.find_elements(By.CSS_SELECTOR, ".heat .name")]
    assert max(name["x"] + name["width"] for name in names) <= min(s["x"] for s in squares)


def test_method__is_short_until_its_details_are_opened(show, site):
    name = next(name for name in all_pages(site) if name.startswith("methods/euclidean"))
    page = show(name)
    sections = page.find_elements(By.CSS_SELECTOR, "details section")
    assert [section.is_displayed() for section in sections] == [False, False]
    assert page.find_element(By.CSS_SELECTOR, "#summary-caption").is_displayed()
    assert page.execute_script("return document.documentElement.scrollHeight") < 1000
    page.find_elements(By.CSS_SELECTOR, "table a")[0].click()
    assert [section.is_displayed() for section in sections] == [True, False]


def test_pages__are_whole_without_scripts(show):
    page = show(scripts=False)
    assert not buttons(page)
    assert len(column(page, 1)) == 5
    assert "0.500" in page.page_source or "1.000" in page.page_source
    assert sorted_by(page) == [(0, "ascending")]


def test_pages__ask_for_nothing_and_complain_of_nothing(show, site, browser):
    show("rules.html")
    browser.get_log("browser")
    browser.get_log("performance")
    for name in all_pages(site):
        show(name)
    messages = [json.loads(e["message"])["message"] for e in browser.get_log("performance")]
    asked = {
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    }
    assert {url for url in asked if not url.startswith("data:")} == {
        (site / name).as_uri() for name in all_pages(site)
    }
    assert browser.get_log("browser") == []


CONTRAST = """
const rgb = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
const lum = ([r, g, b]) => [r, g, b].map((v) => v / 255)
  .map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
const ground = (e) => {
  for (; e; e = e.parentElement) {
    const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c;
  }
  return [255, 255, 255];
};
const faint = new Set();
for (const e of document.querySelectorAll("body *")) {
  const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!text || e.closest("style, script, title, desc")) continue;
  const style = getComputedStyle(e);
  const a = lum(rgb(e.closest("svg") ? style.fill : style.color)), b = lum(ground(e));
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < 4.5) faint.add(`${e.tagName} ${e.className.baseVal ?? e.className} ${ratio}`);
}
return [...faint];
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text__has_the_contrast_that_wcag_asks_for(show, site, browser, scheme):
    feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
    for name in all_pages(site):
        page = show(name)
        assert page.execute_script(CONTRAST) == [], name
    color = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (color == "rgb(255, 255, 255)") == (scheme == "light")
