"""What-if panel for notebooks: sliders for a case's estimates, and the forecast with them moved."""

from __future__ import annotations

from datetime import date
from html import escape
from typing import TYPE_CHECKING, Any

from forecast.analysis.plug_in import Quick, quick
from forecast.case.edit import adjustable
from forecast.case.in_force import checked_as_of
from forecast.report.number_format import percent, points
from forecast.report.styles import scenario_styles

if TYPE_CHECKING:
    import ipywidgets

    from forecast.case.folder import Case
    from forecast.case.question import Question


def whatif_panel(case: Case, *, as_of: date | None = None, unit: str = "") -> ipywidgets.VBox:
    """Return a panel of sliders over the case's estimates; the forecast follows within a second.

    The forecast is a quick one (:func:`forecast.analysis.plug_in.quick`: the same model with fewer
    particles), good to about a point. Nothing is written; for a number to keep, take :func:`forecast.whatif`.

    Parameters
    ----------
    case, as_of
        As for :func:`forecast.update`.
    unit : str, optional
        The unit to show, where the question is asked of several; default: the first.

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
    return _Panel(case.on(day), day, case.question, unit, ipywidgets).box


class _Panel:
    """The widgets, and the estimates moved so far."""

    def __init__(self, case: Case, day: date, question: Question, unit: str, widgets: Any) -> None:
        self.case, self.day, self.styles = case, day, scenario_styles(question.all_scenarios)
        self.unit = case.question.unit_names.index(unit) if unit else 0
        self.stated, self.moved = adjustable(case.question), dict[str, float]()
        self.choosing = False  # the slider is being set to another estimate, not moved
        self.name = widgets.Dropdown(options=list(self.stated), description="estimate")
        self.slider = widgets.FloatSlider(description="value", step=0.01, continuous_update=True)
        reporting = {report.source for report in case.evidence.known(day)}
        sources = [source.id for source in case.question.sources if source.id in reporting]
        rows = min(len(sources), 5) or 1
        self.without = widgets.SelectMultiple(options=sources, description="leave out", rows=rows)
        self.reset = widgets.Button(description="as it is", tooltip="Undo all that was moved")
        self.shown = widgets.HTML()
        self.unchanged = self._forecast()
        self._choose()
        self._show(self.unchanged)
        self.name.observe(lambda _: self._choose(), "value")
        self.slider.observe(lambda _: self._move(), "value")
        self.without.observe(lambda _: self._update(), "value")
        self.reset.on_click(lambda _: self._undo())
        row = widgets.HBox([self.name, self.slider])
        self.box = widgets.VBox([row, widgets.HBox([self.without, self.reset]), self.shown])

    def _forecast(self) -> Quick:
        return quick(self.case, as_of=self.day, values=self.moved, without=self.without.value)

    def _choose(self) -> None:
        """Set the slider to the estimate that is named now, without moving it."""
        name, stated = self.name.value, self.stated[self.name.value]
        low, high = min(0.01, stated / 2), max(0.99, (1 + stated) / 2)
        if name.startswith("lasts "):
            low, high = min(0.1, stated / 2), max(4 * stated, 1.0)
        self.choosing = True
        self.slider.min, self.slider.max = 0.0, max(high, self.slider.max)
        self.slider.value = self.moved.get(name, stated)
        self.slider.min, self.slider.max = low, high
        self.choosing = False

    def _move(self) -> None:
        name, value = self.name.value, float(self.slider.value)
        if not self.choosing and abs(value - self.moved.get(name, self.stated[name])) >= 1e-9:
            self.moved[name] = value
            self._update()

    def _update(self) -> None:
        """Show the forecast with what has been moved; where that cannot be, say why in its place."""
        try:
            forecast = self._forecast()
        except ValueError as error:
            self.shown.value = f"<p>This cannot be: {escape(str(error))}. Move it back, or undo all.</p>"
        else:
            self._show(forecast)

    def _undo(self) -> None:
        self.moved.clear()
        self.without.value = ()
        self._choose()
        self._show(self.unchanged)

    def _show(self, forecast: Quick) -> None:
        present = "being prepared now" if self.case.question.event else "now"
        columns = [(present, forecast.now, self.unchanged.now)]
        if self.case.question.dynamics is not None:
            columns.append(("at the horizon", forecast.horizon, self.unchanged.horizon))
        head = "".join(f"<th colspan=3 style='text-align:left'>{name}</th>" for name, *_ in columns)
        rows = []
        for k, scenario in enumerate(self.case.question.scenarios):
            colour = self.styles[scenario.id].colour
            ends = ((float(after[self.unit, k]), float(before[self.unit, k])) for _, after, before in columns)
            cells = "".join(_bar(after, before, colour) for after, before in ends)
            rows.append(f"<tr><td style='padding-right:1em'>{escape(scenario.title)}</td>{cells}</tr>")
        changes = [f"{name}: {self.stated[name]:.3g} to {value:.3g}" for name, value in self.moved.items()]
        changes += [f"without {source}" for source in self.without.value]
        error = f"Monte Carlo error {100 * max(forecast.error, self.unchanged.error):.1f} points"
        table = f"<table><tr><th></th>{head}</tr>{''.join(rows)}</table>"
        text = escape("; ".join(changes) or "as it is")
        self.shown.value = f"{table}<p>{text}</p><p><small>{error}</small></p>"


def _bar(after: float, before: float, colour: str) -> str:
    """Return table cells: bar with a mark at the previous value, probability, and change in points."""
    bar = (
        "<div style='position:relative;width:14em;height:1.1em;background:#8882'>"
        f"<div style='width:{100 * after:.1f}%;height:100%;background:{colour}'></div>"
        f"<div style='position:absolute;top:-2px;bottom:-2px;left:{100 * before:.1f}%;"
        "border-left:2px solid currentColor'></div></div>"
    )
    number = "<td style='text-align:right;padding:0 .6em'>"
    return f"<td>{bar}</td>{number}{percent(after)}</td>{number}{points(after - before)}</td>"
