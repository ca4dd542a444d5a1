"""The page without a browser: well-formed, in order, readable, inert, and loading nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from forecast.report.brief.write import brief_html, page
from tests.made_up import COURSES, made_up_case
from tests.report.base import HOSTILE, hostile, made_up_brief, made_up_page

VOID = {"meta", "link", "br", "img", "input", "hr"}
FOREIGN = {"path", "rect", "circle"}  # SVG's own, closed by a stroke


class Reader(HTMLParser):
    """Reads a page as a tree would be built, and keeps what the tests ask about."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in FOREIGN, tag
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data))


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


CASES = {
    "later": lambda: made_up_page(),
    "first": lambda: made_up_page(later=False),
    "static": lambda: made_up_page(made_up_case(regime=False)),
    "units": lambda: made_up_page(made_up_case(units=("north", "south"))),
    "hostile": lambda: made_up_page(hostile(made_up_case())),
}


@pytest.fixture(scope="module", params=CASES)
def text(request) -> str:
    return CASES[request.param]()


def test_it_is_well_formed_with_headings_in_order(text):
    found = read(text)
    levels = [int(tag[1]) for tag, _ in found.tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert dict(found.tags)["html"]["lang"] == "en"


def test_it_loads_nothing(text):
    for tag, attributes in read(text).tags:
        assert tag not in {
            "img",
            "iframe",
            "object",
            "embed",
            "link",
            "base",
            "form",
            "video",
            "audio",
            "use",
        }
        assert not {"src", "srcset", "style", "xlink:href"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
        if "href" in attributes:
            assert tag == "a"
            assert re.match("https?://|#", attributes["href"])
            assert attributes["href"].startswith("#") or "noopener" in attributes["rel"]
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_the_policy_allows_its_own_script_and_style_alone(text):
    (policy,) = (
        a["content"] for tag, a in read(text).tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (own,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"


def test_tables_say_what_their_rows_and_columns_are(text):
    tags = read(text).tags
    names = [tag for tag, _ in tags]
    assert names.count("caption") == names.count("table") > 3
    assert all(a.get("scope") in ("row", "col") for tag, a in tags if tag == "th")
    pictures = [a for tag, a in tags if tag == "svg"]
    assert pictures
    assert all(a.get("aria-hidden") == "true" or (a["role"] == "img" and a["aria-label"]) for a in pictures)


def test_what_others_wrote_stays_text():
    text = made_up_page(hostile(made_up_case()), later=False)
    found = read(text)
    assert sum(tag == "script" for tag, _ in found.tags) == 2  # data of the trend, and our own
    assert "title" not in dict(found.tags)["h1"]
    assert ("h1", HOSTILE) in found.texts
    hrefs = [a["href"] for tag, a in found.tags if tag == "a" and not a["href"].startswith("#")]
    assert "https://example.org/?a=1&b=2" in hrefs
    assert all(href.startswith("https://example.org/") for href in hrefs)
    for script in re.findall("<script type=.application/json.>(.*?)</script>", text, re.DOTALL):
        assert "<" not in script


def test_sections_stand_in_the_order_of_the_questions():
    assert [section.id for section in page(*made_up_brief())] == [
        "probabilities", "moved", "outlook", "sources", "late", "collect", "trend", "doubts", "evidence",
        "method",
    ]  # fmt: skip


def words(text: str) -> str:
    return " ".join(
        " ".join(data for tag, data in read(text).texts if tag not in ("script", "style")).split()
    )


def test_the_parts_of_a_move_are_told_and_those_of_nought_are_not():
    text = words(CASES["later"]())
    assert "Time passing, silence +1.0 −1.0 0 0 New reports r4, r5 −3.0 +2.0 +1.0 0 This forecast" in text
    assert "Late reports on earlier days" not in text
    assert "The question has been edited." in text


def test_a_first_forecast_says_what_it_is_made_of():
    text = words(CASES["first"]())
    assert "No earlier forecast has been issued" in text
    assert "Before any evidence" in text
    assert "Issued 2014" not in text


def test_probability_and_confidence_stand_in_sentences_of_their_own():
    paragraphs = [data for tag, data in read(CASES["later"]()).texts if tag == "p"]
    assert not [one for one in paragraphs if "Confidence" in one and "probable scenario" in one]
    assert [one for one in paragraphs if one.startswith("Confidence in this assessment is")]


def test_very_many_units_stay_a_small_file():
    case = made_up_case(units=tuple(f"district {n}" for n in range(24)))
    text = made_up_page(case)
    assert len(text.encode()) < 1_500_000
    assert text.count("<figure") == 24


def test_the_same_findings_give_the_same_page_bit_by_bit():
    summary, found = made_up_brief()
    assert brief_html(summary, found) == brief_html(summary, found)


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("ground", ["ground", "tint"])
@pytest.mark.parametrize("ink", ["ink", "quiet", "link"])
def test_texts_stand_out_from_their_ground(ink, ground):
    """WCAG 2.2, level AA: 4.5 to 1 for text of any size."""
    colours = dict(re.findall(r"--(\w+): (#\w{6});", CASES["later"]()))
    assert contrast(colours[ink], colours[ground]) >= 4.5


def test_the_key_of_the_trend_has_every_scenario():
    found = read(CASES["later"]())
    assert sum(tag == "button" for tag, _ in found.tags) == len(COURSES)
