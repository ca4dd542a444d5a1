"""What is said of an event question: being prepared now, by the horizon, if prepared, with no news."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from forecast.case.judgement import LogitNormal, Positive
from forecast.case.question import Event
from forecast.inference.diagnostics import open_warnings
from forecast.report.brief.markdown import brief_markdown
from forecast.report.json import document
from forecast.report.plots.series import trend_panel
from forecast.report.plots.trend import plot_trend
from forecast.report.summary import summarise
from tests.made_up import HORIZON, made_up_case, made_up_tree
from tests.report.base import printed

IF_PREPARED, WITHOUT = (0.93, 0.61, 0.34, 0.12), (0.741, 0.204, 0.031, 0.012)


@pytest.fixture
def case():
    made = made_up_case()
    event = Event(0, (Positive(0.2, 8.0),), (LogitNormal(0.5),))
    return replace(made, question=replace(made.question, dynamics=event))


@pytest.fixture
def tree(case):
    tree, beside = made_up_tree(case), "scenario"
    outlook = tree["outlook"].to_dataset()
    share = np.linspace(0, 1, outlook.sizes["date"])[:, None]
    tree["outlook"] = xr.DataTree(
        outlook.assign(
            if_prepared=(beside, np.array(IF_PREPARED)),
            without_news=(("date", beside), share * np.array(WITHOUT)),
        )
    )
    return tree


@pytest.mark.parametrize("write", [printed, brief_markdown], ids=["table", "brief"])
def test_the_four_numbers_of_an_event_are_said(case, tree, write):
    text = re.sub(r"\s+", " ", write(summarise(case, tree)))
    outcome = summarise(case, tree).units[0].scenarios[1]
    now, end = round(100 * outcome.now.probability), round(100 * outcome.horizon.probability)
    assert re.search(rf"As of 2014-11-\d\d: {outcome.title} by {HORIZON} {end}% \(\d+–\d+%\)", text)
    assert f"being prepared now {now}%, and if it is, the chance by then is 61%" in text
    assert "with no news the chance would have fallen to 20%." in text
    assert "nothing has happened by" in text
    assert "resolve the question when something has" in text
    for scenario, *numbers in zip(case.question.scenarios, IF_PREPARED, WITHOUT, strict=True):
        for p in numbers:
            assert f"{round(100 * p)}%" in text, scenario.id
    assert "ever until then" not in text


def test_a_chance_without_news_that_has_not_fallen_is_not_said_to_have(case, tree):
    tree["outlook"]["without_news"].values[-1, 1] = 0.33  # as first judged
    assert "with no news the chance would be 33%" in re.sub(r"\s+", " ", printed(summarise(case, tree)))


def test_the_document_has_what_stands_beside(case, tree):
    rows = document(summarise(case, tree), tree)["scenarios"]
    assert [row["at_horizon"]["if_prepared"] for row in rows] == list(IF_PREPARED)
    assert [row["at_horizon"]["without_news"] for row in rows] == list(WITHOUT)
    plain = made_up_case()
    other = made_up_tree(plain)
    assert "if_prepared" not in document(summarise(plain, other), other)["scenarios"][0]["at_horizon"]


def test_the_trend_plot_has_the_chance_without_news(case, tree):
    panel = trend_panel(case, tree, "", 8)
    assert [one.title for one in panel.without_news] == [s.title for s in case.question.scenarios[1:]]
    assert [float(one.probability[-1]) for one in panel.without_news] == list(WITHOUT[1:])
    dotted = [line for line in plot_trend(case, tree).axes[0].lines if line.get_linestyle() == ":"]
    assert len(dotted) == 3
    plain = made_up_case()
    assert trend_panel(plain, made_up_tree(plain), "", 8).without_news == []
    figure = plot_trend(case, tree, backend="plotly")
    assert sum(trace.line.dash == "dot" and not trace.showlegend for trace in figure.data) >= 3


def test_an_event_question_past_its_horizon_is_to_be_resolved(case):
    question = case.question
    (warning,) = open_warnings(question, question.horizon)
    assert "resolve" in warning.text
    assert str(question.horizon) in warning.text
    assert open_warnings(question, question.last_day(2)) == []
    assert open_warnings(made_up_case().question, question.horizon) == []
