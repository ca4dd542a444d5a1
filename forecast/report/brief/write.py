"""Rendering of the brief as one self-contained HTML file with a content security policy.

The template shows the blocks of :mod:`forecast.report.brief.elements`; every text in it is escaped, and only
http and https addresses become links. The policy in its head lets a browser run the one script and use the
one style whose hashes it names, and load nothing.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import TYPE_CHECKING

from forecast.report.brief import sections
from forecast.report.brief.trend import trend
from forecast.report.brief.trend_svg import dash_of, marker, number

if TYPE_CHECKING:
    from forecast.report.brief.data import BriefData
    from forecast.report.brief.elements import Section
    from forecast.report.summary import Summary


def brief_html(summary: Summary, data: BriefData) -> str:
    """Write a forecast as one page of HTML, for the screen, a mail attachment, and two sheets of paper.

    Parameters
    ----------
    summary, data
        What :func:`forecast.summarise` picked, and what :func:`forecast.gather` returned.

    Examples
    --------
    >>> brief_html(summary, gather(summary, tree))[:15]  # doctest: +SKIP
    '<!DOCTYPE html>'
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("forecast.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"n": number}
    environment.globals |= {"marker": marker, "dash_of": dash_of}
    style, script = _file("brief.css"), _file("brief.js")
    compared = [("Compared with", summary.previous)] if summary.previous else []
    return environment.get_template("brief.html").render(
        title=summary.case.question.title,
        about=[("As of", summary.inputs.as_of), ("Settled by", summary.horizon), *compared],
        sections=page(summary, data),
        policy=policy(style, script),
        style=Markup(style),  # our own files, byte by byte as their hashes say
        script=Markup(script),
    )


def page(summary: Summary, data: BriefData) -> tuple[Section, ...]:
    """Return the sections of the brief in the order in which a weekly reader asks."""
    return (
        sections.probabilities(summary),
        sections.what_moved(summary, data),
        sections.outlook(summary, data),
        sections.sources(summary, data),
        sections.late(summary, data),
        sections.collection(summary, data),
        trend(summary, data),
        sections.caveats(summary, data),
        sections.evidence(summary, data),
        sections.method(summary),
    )


def policy(style: str, script: str) -> str:
    """Return the content security policy of a page with one style and one script inside it."""
    return (
        f"default-src 'none'; style-src {_hashed(style)}; script-src {_hashed(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _file(name: str) -> str:
    return resources.files("forecast.report").joinpath("templates", name).read_text(encoding="utf-8")
