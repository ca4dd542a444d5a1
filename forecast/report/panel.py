"""A panel for a notebook: move an estimate or leave a source out, and see the forecast move with it."""

from __future__ import annotations

from datetime import date
from html import escape
from typing import TYPE_CHECKING, Any

from forecast.analysis.plug_in import Quick, quick
from forecast.case.edit import adjustable
from forecast.case.in_force import checked_as_of, ever
from forecast.report.number_format import percent, points
from forecast.report.styles import ScenarioStyle, scenario_styles

if TYPE_CHECKING:
    import ipywidgets

    from forecast.case.folder import Case


def whatif_panel(case: Case, *, as_of: date | None = None, unit: str = "") -> ipywidgets.VBox:
    """Return a panel of sliders over the case's estimates; the forecast follows within a blink.

    The forecast is a quick one (:func:`forecast.analysis.plug_in.quick`: the same model with fewer
    particles), good to about a point. Nothing is written; for a number to keep, take :func:`forecast.whatif`.

    Parameters
    ----------
    case : Case
    as_of : date, optional
        As for :func:`forecast.update`.
    unit : str, optional
        The unit to show, where the question is asked of several; default: the first.

    Returns
    -------
    ipywidgets.VBox

    Raises
    ------
    ModuleNotFoundError
        If ipywidgets is not there: it comes with the extra `notebooks`.

    Examples
    --------
    >>> whatif_panel(forecast.load_case("scenarios/isis-jn-2014"))  # doctest: +SKIP
    """
    try:
        import ipywidgets
    except ModuleNotFoundError as missing:
        fix = "pip install 'scenario-forecast[notebooks]'"
        raise ModuleNotFoundError(f"the panel needs ipywidgets: {fix}") from missing
    day = checked_as_of(case.question, as_of)
    return _Panel(case.on(day), day, scenario_styles(ever(case.question)), unit, ipywidgets).box


class _Panel:
    """The widgets, and what has been moved so far."""

    def __init__(
        self, case: Case, day: date, styles: dict[str, ScenarioStyle], unit: str, widgets: Any
    ) -> None:
        self.case, self.day, self.styles = case, day, styles
        self.place = case.question.units.index(unit) if unit else 0
        self.aiming = False
        self.stated, self.moved = adjustable(case.question), dict[str, float]()
        self.name = widgets.Dropdown(options=list(self.stated), description="estimate")
        self.slider = widgets.FloatSlider(description="value", step=0.01, continuous_update=True)
        told = {report.source for report in case.evidence.known(day)}
        sources = [source.id for source in case.question.sources if source.id in told]
        self.without = widgets.SelectMultiple(
            options=sources, description="leave out", rows=min(len(sources), 5) or 1
        )
        self.reset = widgets.Button(description="as it is", tooltip="Undo all that was moved")
        self.shown = widgets.HTML()
        self.before = self._forecast()
        self._aim()
        self._show(self.before)
        self.name.observe(lambda _: self._aim(), "value")
        self.slider.observe(lambda _: self._move(), "value")
        self.without.observe(lambda _: self._follow(), "value")
        self.reset.on_click(lambda _: self._undo())
        row = widgets.HBox([self.name, self.slider])
        self.box = widgets.VBox([row, widgets.HBox([self.without, self.reset]), self.shown])

    def _forecast(self) -> Quick:
        return quick(self.case, as_of=self.day, values=self.moved, without=self.without.value)

    def _aim(self) -> None:
        """Set the slider to the estimate that is named now, without moving it."""
        name, stated = self.name.value, self.stated[self.name.value]
        low, high = min(0.01, stated / 2), max(0.99, (1 + stated) / 2)
        if name.startswith("lasts "):
            low, high = min(0.1, stated / 2), max(4 * stated, 1.0)
        self.aiming = True
        self.slider.min, self.slider.max = 0.0, max(high, self.slider.max)
        self.slider.value = self.moved.get(name, stated)
        self.slider.min, self.slider.max = low, high
        self.aiming = False

    def _move(self) -> None:
        name, value = self.name.value, float(self.slider.value)
        if self.aiming or abs(value - self.moved.get(name, self.stated[name])) < 1e-9:
            return
        self.moved[name] = value
        self._follow()

    def _follow(self) -> None:
        """Show what has been moved to; where that cannot be, say why in its place."""
        try:
            found = self._forecast()
        except ValueError as error:
            self.shown.value = f"<p>This cannot be: {escape(str(error))}. Move it back, or undo all.</p>"
        else:
            self._show(found)

    def _undo(self) -> None:
        self.moved.clear()
        self.without.value = ()
        self._aim()
        self._show(self.before)

    def _show(self, found: Quick) -> None:
        regime = self.case.question.dynamics is not None
        columns = [("now", found.now, self.before.now)]
        columns += [("at the horizon", found.horizon, self.before.horizon)] if regime else []
        head = "".join(f"<th colspan=3 style='text-align:left'>{name}</th>" for name, *_ in columns)
        rows = []
        for k, scenario in enumerate(self.case.question.scenarios):
            style = self.styles[scenario.id]
            cells = "".join(
                _bar(float(after[self.place, k]), float(before[self.place, k]), style.colour)
                for _, after, before in columns
            )
            rows.append(f"<tr><td style='padding-right:1em'>{escape(scenario.title)}</td>{cells}</tr>")
        moved = [f"{name}: {self.stated[name]:.3g} to {value:.3g}" for name, value in self.moved.items()]
        moved += [f"without {source}" for source in self.without.value]
        said = escape("; ".join(moved) or "as it is")
        error = f"Monte Carlo error {100 * max(found.error, self.before.error):.1f} points"
        table = f"<table><tr><th></th>{head}</tr>{''.join(rows)}</table>"
        self.shown.value = f"{table}<p>{said}</p><p><small>{error}</small></p>"


def _bar(after: float, before: float, colour: str) -> str:
    """Return three cells: a bar with a mark where it was, the probability, and its change in points."""
    bar = (
        "<div style='position:relative;width:14em;height:1.1em;background:#8882'>"
        f"<div style='width:{100 * after:.1f}%;height:100%;background:{colour}'></div>"
        f"<div style='position:absolute;top:-2px;bottom:-2px;left:{100 * before:.1f}%;"
        "border-left:2px solid currentColor'></div></div>"
    )
    number = "<td style='text-align:right;padding:0 .6em'>"
    return f"<td>{bar}</td>{number}{percent(after)}</td>{number}{points(after - before)}</td>"
