"""The page in a real browser: it loads nothing, answers to pointer and keys, fits a phone and two sheets.

Where no browser is installed these tests are skipped, but for CI, where they fail.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import forecast
from forecast.report.brief.write import brief_html
from forecast.run import gather
from tests.made_up import made_up_case
from tests.report.base import HOSTILE, contrast_of, hostile, made_up_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    installed = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if installed is None:
        why = f"no browser is installed: none of {', '.join(BROWSERS)}"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=installed, args=QUIET)
        yield running
        running.close()


class Opened(NamedTuple):
    page: Page
    said: list[str]  # on the console, errors of scripts among it
    asked: list[str]  # of the network


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path):
    def opened(text: str, width: int = 1200) -> Opened:
        file = tmp_path / "brief.html"
        file.write_text(text, encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": 900})
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        assert asked.pop(0) == file.as_uri()
        return Opened(page, said, asked)

    return opened


@pytest.fixture(scope="module")
def shipped() -> str:
    """Return the brief of the case that is shipped, as a first forecast."""
    case = forecast.load_case(Path(__file__).parents[2] / "scenarios" / "isis-jn-2014")
    tree = forecast.update(case, as_of=date(2014, 11, 23), draws=500, tolerance=0.05)
    summary = forecast.summarise(case, tree)
    return brief_html(summary, gather(summary, tree))


def place_of(page: Page, share: float) -> tuple[float, float]:
    """Return where a share of the trend's width is on the screen."""
    picture = page.locator(".plot svg:visible").first
    picture.scroll_into_view_if_needed()
    frame = picture.bounding_box()
    assert frame
    left, wide = (float(picture.get_attribute(f"data-{name}") or 0) for name in ("left", "wide"))
    return frame["x"] + frame["width"] * (left + share * wide), frame["y"] + frame["height"] / 2


def test_it_says_nothing_and_asks_for_nothing(open_page, shipped):
    for text in (made_up_page(), made_up_page(later=False), shipped):
        shown = open_page(text)
        assert (shown.said, shown.asked) == ([], [])
        shown.page.close()


def test_hovering_shows_the_day_its_probabilities_and_the_report(open_page):
    page = open_page(made_up_page()).page
    case = made_up_case()
    first, last = case.question.opened, case.question.horizon
    share = (date(2014, 11, 19) - first).days / (last - first).days
    page.mouse.move(*place_of(page, share))
    text = page.locator(".readout").inner_text()
    assert "2014-11-19" in text
    assert "Continued conflict" in text
    assert "%" in text
    assert "Answer to a truce: accepted (Press)" in text
    page.mouse.move(*place_of(page, 1.0))
    assert "2015-03-31 outlook" in page.locator(".readout").inner_text()


def test_what_was_issued_is_shown_on_its_day(open_page):
    page = open_page(made_up_page()).page
    page.locator(".plot").focus()
    page.keyboard.press("Home")
    for _ in range(40):
        if "2014-11-15" in (page.locator(".plot").get_attribute("aria-valuetext") or ""):
            break
        page.keyboard.press("ArrowRight")
    assert "Issued: Continued conflict" in page.locator(".readout").inner_text()


def test_the_keys_go_from_day_to_day(open_page):
    page = open_page(made_up_page()).page
    plot = page.locator(".plot")
    assert plot.get_attribute("role") == "slider"
    plot.focus()
    start = int(plot.get_attribute("aria-valuenow"))
    page.keyboard.press("ArrowLeft")
    assert int(plot.get_attribute("aria-valuenow")) == start - 1
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert int(plot.get_attribute("aria-valuenow")) == start + 1
    page.keyboard.press("End")
    assert plot.get_attribute("aria-valuenow") == plot.get_attribute("aria-valuemax")
    assert "2015-03-31, outlook; Continued conflict" in plot.get_attribute("aria-valuetext")
    page.keyboard.press("Home")
    assert plot.get_attribute("aria-valuenow") == "0"


def test_the_switches_hide_a_scenario_also_by_key(open_page):
    page = open_page(made_up_page()).page
    switch = page.get_by_role("button", name="Tactical cooperation")
    line = page.locator("svg.wide g[data-scenario='1']")
    assert line.is_visible()
    switch.focus()
    page.keyboard.press("Enter")
    assert switch.get_attribute("aria-pressed") == "false"
    assert not line.is_visible()
    assert "Tactical cooperation" not in page.locator(".readout").inner_text()
    switch.click()
    assert switch.get_attribute("aria-pressed") == "true"
    assert line.is_visible()


def test_everything_that_answers_can_be_reached_by_the_tabulator(open_page):
    page = open_page(made_up_page()).page
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.className || document.activeElement.tagName"))
    assert {"A", "BUTTON", "plot", "SUMMARY"} <= reached


def test_hostile_texts_do_nothing(open_page):
    shown = open_page(made_up_page(hostile(made_up_case())))
    page = shown.page
    page.locator(".plot").focus()
    page.keyboard.press("Home")
    for _ in range(40):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(5)
    assert page.title() == HOSTILE
    assert (shown.said, shown.asked) == ([], [])
    assert page.locator("img").count() == 0
    hrefs = page.eval_on_selector_all("a", "all => all.map(a => a.protocol)")
    assert set(hrefs) <= {"file:", "https:"}


OVERFLOWING = """
all => all.filter(e => e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML)
"""


@pytest.mark.parametrize("width", [360, 641, 841, 1200])
def test_nothing_is_wider_than_the_screen(open_page, shipped, width):
    for text in (made_up_page(hostile(made_up_case())), shipped):
        page = open_page(text, width).page
        page.locator("summary").first.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for name in ("section", "table", "p", "ul", ".plot", ".readout", ".value"):
            assert page.eval_on_selector_all(name, OVERFLOWING) == []
        page.close()


def test_the_shipped_case_is_two_sheets_of_paper(open_page, shipped):
    paper = open_page(shipped).page.pdf(prefer_css_page_size=True)
    assert paper.count(b"/Type /Page\n") == 2


COLOURS = """
all => {
  const solid = (c) => c && c !== "transparent" && !c.startsWith("rgba(0, 0, 0, 0");
  const background = (e) => {
    for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor;
      if (solid(c)) return c;
    }
    return "rgb(255, 255, 255)";
  };
  const own = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  return all.filter((e) => own(e) && e.getClientRects().length).map((e) => {
    const style = getComputedStyle(e);
    return [e instanceof SVGElement ? style.fill : style.color, background(e)];
  });
}
"""


def test_every_text_that_is_seen_stands_out_from_its_background(open_page, shipped):
    def hexed(colour: str) -> str:
        return "#" + "".join(f"{int(part):02x}" for part in colour[4:-1].split(","))

    page = open_page(shipped).page
    page.locator("button").first.click()
    pairs = {tuple(pair) for pair in page.eval_on_selector_all("body *", COLOURS)}
    assert len(pairs) > 3
    for ink, background in pairs:
        assert contrast_of(hexed(ink), hexed(background)) >= 4.5, (ink, background)


def test_without_a_script_the_page_still_says_everything(browser, tmp_path):
    file = tmp_path / "brief.html"
    file.write_text(made_up_page(), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.locator("svg.wide").is_visible()
    assert "Continued conflict" in page.locator("#probabilities").inner_text()
    page.locator("summary").click()
    assert page.locator("details table").is_visible()
    context.close()
