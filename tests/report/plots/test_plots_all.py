"""What holds of every plot: nothing collides, is executed or changes globally."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import forecast
from forecast.case.errors import InputError
from tests.report.plots.base import HOSTILE, PLOTS, case_of, collisions, draw, tree_of, words

every_plot = pytest.mark.parametrize("name", PLOTS)


def test_every_public_plot_is_among_them():
    public = {name for name in forecast.__all__ if name.startswith("plot_")}
    assert public - {"plot_calibration"} == set(
        PLOTS
    )  # which is of no case: tests/report/plots/test_calibration.py


@every_plot
def test_the_page_about_plots_names_it(name: str):
    page = Path(__file__).parents[3] / "docs" / "plots.md"
    assert f"| `{name}(case, " in page.read_text(encoding="utf-8")


@every_plot
@pytest.mark.parametrize(("size", "width"), [("large", 6.0), ("small", 8.0)])
def test_nothing_collides_and_nothing_leaves_the_page(name: str, size: str, width: float):
    figure = draw(name, case_of(size), width=width)
    assert figure.get_figwidth() == width
    assert collisions(figure) == []


@every_plot
def test_hostile_texts_are_drawn_as_they_are(name: str, tmp_path):
    figure = draw(name, case_of(hostile=True), width=6)
    assert collisions(figure) == []
    assert any(HOSTILE[:12] in text for text in words(figure))
    figure.savefig(tmp_path / "plot.svg")
    assert b"<script" not in (tmp_path / "plot.svg").read_bytes()


@every_plot
def test_the_figure_is_one_of_matplotlib(name: str):
    assert isinstance(draw(name, case_of()), Figure)


@pytest.mark.parametrize("name", [name for name in PLOTS if name not in ("plot_trend", "plot_evidence_map")])
def test_most_plots_have_no_choice_of_a_backend(name: str):
    with pytest.raises(TypeError, match="backend"):
        draw(name, case_of(), backend="plotly")


@every_plot
def test_no_global_state_is_touched(name: str):
    from matplotlib import _pylab_helpers

    before = dict(mpl.rcParams), _pylab_helpers.Gcf.get_num_fig_managers()
    draw(name, case_of())
    assert (dict(mpl.rcParams), _pylab_helpers.Gcf.get_num_fig_managers()) == before


@pytest.mark.parametrize("name", [name for name in PLOTS if name not in ("plot_trend", "plot_judgements")])
def test_a_question_of_several_units_is_asked_which(name: str):
    case = case_of(units=("north", "south"))
    with pytest.raises(InputError, match=r"several units(.|\n)*Allowed: north, south"):
        draw(name, case)
    with pytest.raises(InputError, match=r"no such unit \(found: norht\)(.|\n)*did you mean \"north\""):
        draw(name, case, unit="norht")
    assert any("south" in text for text in words(draw(name, case, unit="south")))
    with pytest.raises(InputError, match="the question has no units"):
        draw(name, case_of(), unit="south")


@pytest.mark.parametrize("name", ["plot_trend", "plot_area", "plot_hindsight", "plot_outlook"])
@pytest.mark.parametrize("days", [0, 7, None])
def test_the_first_and_the_last_day_can_be_drawn(name: str, days: int | None):
    case = case_of(regime=days != 7)
    question = case.question
    as_of = question.horizon if days is None else question.opened + timedelta(days)
    tree = tree_of(case, as_of=as_of)
    assert collisions(getattr(forecast, name)(case, tree, width=6)) == []


@pytest.mark.parametrize("name", ["plot_trend", "plot_area", "plot_outlook", "plot_evidence", "plot_changed"])
def test_a_static_question_can_be_drawn(name: str):
    assert collisions(draw(name, case_of(regime=False), width=6)) == []


@every_plot
@pytest.mark.mpl_image_compare(savefig_kwargs={"dpi": 32}, tolerance=6, style="default")
def test_picture(name: str) -> Figure:
    """Compare with the picture in `baseline/`, without texts: each version of the font library sets its own.

    After a change that is meant, look at the new pictures of ``pytest tests/report/plots -k test_picture
    --mpl-generate-path=tests/report/plots/baseline -W "ignore:Ignoring --mpl"``.
    """
    figure = draw(name, case_of(), width=6)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # the layout is that of the figure with its texts
    for text in figure.findobj(Text):
        text.set_visible(False)
    return figure
