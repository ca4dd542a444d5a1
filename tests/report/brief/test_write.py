"""The page without a browser: well-formed, in order, readable, inert, and loading nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise

import pytest

from forecast.report.brief.write import brief_html
from tests.made_up import COURSES, made_up_case
from tests.report.base import HOSTILE, contrast_of, hostile, made_up_brief, made_up_page, read

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
    page = read(text)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert dict(page.tags)["html"]["lang"] == "en"


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
    page = read(text)
    assert sum(tag == "script" for tag, _ in page.tags) == 2  # data of the trend, and our own
    assert "title" not in dict(page.tags)["h1"]
    assert ("h1", HOSTILE) in page.texts
    hrefs = [a["href"] for tag, a in page.tags if tag == "a" and not a["href"].startswith("#")]
    assert "https://example.org/?a=1&b=2" in hrefs
    assert all(href.startswith("https://example.org/") for href in hrefs)
    for script in re.findall("<script type=.application/json.>(.*?)</script>", text, re.DOTALL):
        assert "<" not in script


def test_very_many_units_stay_a_small_file():
    case = made_up_case(units=tuple(f"district {n}" for n in range(24)))
    text = made_up_page(case)
    assert len(text.encode()) < 1_500_000
    assert text.count("<figure") == 24


def test_the_same_findings_give_the_same_page_bit_by_bit():
    summary, data = made_up_brief()
    assert brief_html(summary, data) == brief_html(summary, data)


@pytest.mark.parametrize("background", ["background", "tint"])
@pytest.mark.parametrize("ink", ["ink", "quiet", "link"])
def test_texts_stand_out_from_their_background(ink, background):
    """WCAG 2.2, level AA: 4.5 to 1 for text of any size."""
    colours = dict(re.findall(r"--(\w+): (#\w{6});", CASES["later"]()))
    assert contrast_of(colours[ink], colours[background]) >= 4.5


def test_the_key_of_the_trend_has_every_scenario():
    page = read(CASES["later"]())
    assert sum(tag == "button" for tag, _ in page.tags) == len(COURSES)
