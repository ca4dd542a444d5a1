"""The trend plot says what it should, in ways that do not depend on colour, and leaves no trace."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.dates import date2num

from forecast.case.evidence import Evidence
from forecast.report.looks import look_of
from forecast.report.report_strip import LIGHTEST
from forecast.report.trend_plot import save, trend_plot
from tests.made_up import OPENED, TITLES, WEIGHTS, made_up_case, made_up_question, made_up_tree, retitled


def texts(figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def boxes(figure) -> list:
    """Return where the scenarios' names stand."""
    renderer = figure.canvas.get_renderer()
    return [
        text.get_window_extent(renderer)
        for axes in figure.axes
        for text in axes.texts
        if " ".join(text.get_text().split()) in TITLES.values()
    ]


@pytest.mark.parametrize("regime", [True, False])
def test_every_scenario_is_named_beside_its_line(regime):
    case = made_up_case(regime=regime)
    figure = trend_plot(case, made_up_tree(case))
    for title in TITLES.values():
        assert title in [" ".join(text.split()) for text in texts(figure)]
    assert ("outlook to 31 March 2015" in texts(figure)) == regime
    assert "as of 22 November 2014" in texts(figure)


@pytest.mark.parametrize("regime", [True, False])
def test_names_neither_collide_nor_leave_the_picture(regime):
    case = made_up_case(regime=regime)
    figure = trend_plot(case, made_up_tree(case))
    found = boxes(figure)
    assert len(found) == 8, "once beside the lines, once beside the rows of reports"
    for number, box in enumerate(found):
        assert box.x1 <= figure.bbox.x1
        assert not any(box.overlaps(other) for other in found[:number])


def test_each_scenario_differs_in_colour_line_and_marker():
    looks = look_of(made_up_question().scenarios)
    for one in range(3):
        assert len({str(look[one]) for look in looks.values()}) == len(looks)


def test_each_report_is_a_bar_for_or_against_each_scenario():
    case = made_up_case()
    strip = trend_plot(case, made_up_tree(case)).axes[1]
    rows = [bars.get_segments() for bars in strip.collections if isinstance(bars, LineCollection)]
    heavy = np.abs(np.array(WEIGHTS)) >= LIGHTEST
    assert [len(bars) for bars in rows] == heavy.sum(axis=0).tolist()
    conflict = [bar[1][1] - bar[0][1] for bar in rows[0]]
    assert np.sign(conflict).tolist() == [-1, 1, -1, 1, -1]
    lengths = [abs(bar[1][1] - bar[0][1]) for bars in rows for bar in bars]
    assert max(lengths) == pytest.approx(abs(rows[2][1][1][1] - rows[2][1][0][1])), "r2 speaks loudest"


def test_reports_of_the_first_days_are_in_the_picture():
    case = made_up_case()
    first, *others = case.evidence.reports
    early = replace(case, evidence=Evidence((replace(first, date=OPENED, reported=OPENED), *others)))
    strip = trend_plot(early, made_up_tree(early)).axes[1]
    assert strip.get_xlim()[0] <= date2num(OPENED)


def test_days_of_one_month_name_it():
    case = made_up_case(regime=False)
    figure = trend_plot(case, made_up_tree(case, as_of=date(2014, 9, 6)))
    figure.canvas.draw()
    labels = [label.get_text() for label in figure.axes[1].get_xticklabels()]
    assert any("Aug" in label for label in labels)


def test_a_scenario_that_a_report_rules_out_can_be_drawn():
    case = made_up_case()
    tree = made_up_tree(case)
    weights = tree["evidence"].to_dataset()["weight_of_evidence"].values
    weights[0, 1] = -np.inf
    strip = trend_plot(case, tree).axes[1]
    assert strip.get_ylim() == pytest.approx((-3.55, 0.5))


def test_a_question_without_reports_can_be_drawn():
    case = replace(made_up_case(), evidence=Evidence())
    assert len(trend_plot(case, made_up_tree(case)).axes) == 2


@pytest.mark.parametrize("as_of", [date(2014, 8, 30), date(2014, 9, 1), date(2015, 3, 28), date(2015, 3, 31)])
@pytest.mark.parametrize("regime", [True, False])
def test_the_first_and_the_last_days_can_be_drawn(tmp_path, as_of, regime):
    case = made_up_case(regime=regime)
    trend_plot(case, made_up_tree(case, as_of=as_of)).savefig(tmp_path / "trend.png")
    assert (tmp_path / "trend.png").read_bytes().startswith(b"\x89PNG")


def test_titles_are_not_read_as_formulas(tmp_path):
    case = retitled(made_up_case(), r"Above $5 or $\frac{10?", r"From $5 to $_{")
    figure = trend_plot(case, made_up_tree(case))
    figure.savefig(tmp_path / "trend.png")
    assert r"From $5 to $_{" in texts(figure)


def test_letters_that_the_font_lacks_are_told_in_one_line(tmp_path, recwarn):
    case = retitled(made_up_case(), "Will \u4e2d hold?", "\u4e2d \U0001f642")
    assert save(trend_plot(case, made_up_tree(case)), tmp_path / "trend.png") == "\u4e2d\U0001f642"
    assert (tmp_path / "trend.png").exists()
    assert not recwarn.list
    plain = made_up_case()
    assert save(trend_plot(plain, made_up_tree(plain)), tmp_path / "trend.png") == ""


def test_units_have_a_panel_each():
    case = made_up_case(units=("north", "south"))
    figure = trend_plot(case, made_up_tree(case))
    assert [axes.get_title(loc="left") for axes in figure.axes[::2]] == ["north", "south"]


def test_no_global_state_is_touched():
    from matplotlib import _pylab_helpers

    before, figures = dict(mpl.rcParams), _pylab_helpers.Gcf.get_num_fig_managers()
    case = made_up_case()
    trend_plot(case, made_up_tree(case))
    assert dict(mpl.rcParams) == before
    assert _pylab_helpers.Gcf.get_num_fig_managers() == figures
