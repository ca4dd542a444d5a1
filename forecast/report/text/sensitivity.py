"""Text of ``forecast sensitivity``: summary sentences, tornado, flip values and influential sets."""

from __future__ import annotations

from functools import partial
from textwrap import wrap as wrapped

import numpy as np
import xarray as xr

from forecast.inference.diagnostics import LEAST_DRAWS
from forecast.inference.result import by_unit
from forecast.report.number_format import counted, percent
from forecast.report.text.tables import table_lines

wrap = partial(wrapped, break_on_hyphens=False)  #: Ids of reports are not broken

#: A swing of less than this is not named in a sentence: the number that is printed would hardly change.
_POINT = 0.01

_NAMED = 3


def sensitivity_lines(data: xr.Dataset, *, top: int = 10, width: int = 100) -> list[str]:
    """Return what the answer hangs on as lines: the gist in sentences, then tables.

    Parameters
    ----------
    data : Dataset
        What :func:`forecast.sensitivity` returned.
    top : int
        So many judgements, and so many flip values, are listed.
    width : int
        Longest line of running text. Tables are as wide as they need.

    Examples
    --------
    >>> print(*sensitivity_lines(forecast.sensitivity(case)), sep=chr(10))  # doctest: +SKIP
    """
    lines: list[str] = []
    for unit, part in by_unit(data):
        lines += ["", *_unit_lines(part, unit, top, width)]
    return lines[1:]


def _unit_lines(data: xr.Dataset, unit: str, top: int, width: int) -> list[str]:
    lines = [f"What the forecast of {data.attrs['case']} hangs on, as of {data.attrs['as_of']}"]
    lines[0] += f": {unit}" if unit else ""
    lines += wrap(_leaders(data), width)
    for sentence in (most(data), _flip_sentence(data), _set_sentence(data), _power_sentence(data)):
        lines += wrap(sentence, width, initial_indent="  · ", subsequent_indent="    ")
    return lines + _table(data, top, width) + _flip_lines(data, top, width) + _set_lines(data, width)


def _first_two(p: xr.DataArray) -> str:
    """Say who leads and who follows."""
    order = np.argsort(-p.values, kind="stable")
    names, chances = p["scenario"].values[order], p.values[order]
    return f"{names[0]} leads with {percent(chances[0])}, before {names[1]} with {percent(chances[1])}"


def _leaders(data: xr.Dataset) -> str:
    when = f"On {data.attrs['horizon']}" if data.attrs["regime"] else "Now"
    text = f"{when} {_first_two(data['engine_horizon'])}. With every judgement at its mean "
    lead, at_means = data["leader"].item(), data["at_means_horizon"]
    if data["leader_at_means"].item() == lead:
        return text + f"{percent(float(at_means.sel(scenario=lead)))}, where what follows starts."
    return text + (
        f"{_first_two(at_means)}: what follows asks when that lead is lost; the forecast differs by what "
        "learning and uncertainty add."
    )


def _swing(data: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return the swings of the leading scenario, and the order of judgements by them."""
    swing = data["swing_horizon"].sel(scenario=data["leader_at_means"].item()).values
    return swing, np.argsort(-swing, kind="stable")


def most(data: xr.Dataset) -> str:
    """Return a sentence on the judgements with the largest swing of the leading scenario."""
    lead, (swing, order) = data["leader_at_means"].item(), _swing(data)
    ends = data["horizon"].sel(scenario=lead).values
    named = [int(j) for j in order[:_NAMED] if swing[j] >= _POINT]
    if not named:
        return f"No judgement alone, at an end of its central 90 %, moves {lead} by a percentage point."
    parts = []
    for j in named:
        values = map(_number, data["end_value"].values[j])
        at = ", ".join(f"{percent(p)} at {value}" for p, value in zip(ends[j], values, strict=True))
        parts.append(f"{data['judgement'].values[j]} ({at})")
    return f"What moves {lead} most, each alone over its central 90 %: " + "; ".join(parts) + "."


def _flip_sentence(data: xr.Dataset) -> str:
    number = int(np.isfinite(data["flip"].values).sum())
    if not number:
        return "No judgement alone changes who leads (within its central 99 %; reliabilities from 0 to 1)."
    one = data.isel(judgement=int(np.nanargmax(data["flip_tail_probability"].values)))
    who = "One judgement" if number == 1 else f"{number} judgements, each alone,"
    return (
        f"{who} would put another scenario first; the least far out: {one['judgement'].item()} at "
        f"{_number(one['flip'].item())} in place of {_number(one['stated'].item())} ({one['flip_to'].item()} "
        "would lead)."
    )


def _set_sentence(data: xr.Dataset) -> str:
    reports, size = data.sizes["report"], int(data["in_set"].sum())
    searched = int(data["set_searched"])
    if not reports:
        return "There are no reports that the answer could hang on."
    if size:
        between = f"no set of up to {searched} will do; one between may"
        fewest = "no smaller set will do" if bool(data["set_smallest"]) else between
        others = int(data["set_others"])
        more = f"; {counted(others, 'other set')} of this size would do too" if others else ""
        which = ": " + ", ".join(data["report"].values[data["in_set"].values]) if size <= _NAMED else ""
        engine = data["set_engine_horizon"]
        return (
            f"Without {counted(size, 'report')} of {reports}{which}, {_first_two(data['set_horizon'])} at"
            f" the means; by a run of the engine {_first_two(engine)} ({fewest}{more})."
        )
    if bool(data["set_smallest"]):
        return f"Whichever of the {counted(reports, 'report')} are taken away, the same scenario leads."
    near = int(data["in_nearest"].sum())
    text = f"No set of up to {searched} of the {reports} reports changes who leads by being taken away; "
    if not near:
        return text + "beyond, a greedy search finds nothing that brings a rival nearer."
    return text + (
        f"beyond, a greedy search, which may miss some, ends with {near} taken away: "
        f"{_first_two(data['set_horizon'])}."
    )


def _power_sentence(data: xr.Dataset) -> str:
    power = data["power_horizon"]
    if not np.isfinite(power.values).any():
        return "Nothing is uncertain in the judgements, so that there is nothing to hold more or less firmly."
    prior, likelihood = (float(power.sel(part=part).max()) for part in ("prior", "likelihood"))
    return (
        f"As a whole: sensitivity to judgements up to {prior:.2f}, to evidence up to {likelihood:.2f} "
        "(0.05 is noticeable)."
    )


def _table(data: xr.Dataset, top: int, width: int) -> list[str]:
    lead, (swing, order) = data["leader_at_means"].item(), _swing(data)
    named = [int(j) for j in order[:top] if swing[j] > 0]
    if not named:
        return []
    names = [str(data["judgement"].values[j]) + (" *" if data["residual"].values[j] else "") for j in named]
    regime = bool(data.attrs["regime"])
    title = (
        f"{lead} {'on ' + data.attrs['horizon'] if regime else 'now'}, per cent, with one judgement alone at "
        "the low or the high end of its central 90 %, the others as stated, all at their means"
        + ("; the same now" if regime else "")
        + "; learnt: with learning, from weighted draws of the forecast (? where less than "
        f"{LEAST_DRAWS} of them count)"
        + ("; * nobody wrote it: the residual rule" if any(name.endswith("*") for name in names) else "")
    )
    rows = []
    for name, j in zip(names, named, strict=True):
        one = data.sel(scenario=lead).isel(judgement=j)
        cells = [_number(one["stated"].item()), *map(_number, one["end_value"].values)]
        cells += [f"{100 * p:.1f}" for p in one["horizon"].values] + [f"{100 * swing[j]:.1f}"]
        cells += [f"{100 * p:.1f}" for p in one["now"].values] if regime else []
        rows.append([name, *cells, *_learnt(one)])
    headings = ["judgement", "stated", "low", "high", "at low", "at high", "points"]
    headings += [*(["now", ""] if regime else []), "learnt", ""]
    return ["", *wrap(title, width), *table_lines(headings, rows, width=width, keep_first=True)]


def _learnt(one: xr.Dataset) -> list[str]:
    """Return the probability at both ends with learning; "" where not computed, "?" where unreliable."""
    ess, p = one["learnt_ess"].values, one["learnt_horizon"].values
    if np.isnan(ess).any():
        return ["", ""]
    return [f"{100 * q:.1f}" if n >= LEAST_DRAWS else "?" for n, q in zip(ess, p, strict=True)]


def _flip_lines(data: xr.Dataset, top: int, width: int) -> list[str]:
    chance = data["flip_tail_probability"].values
    named = [int(j) for j in np.argsort(-chance, kind="stable") if np.isfinite(data["flip"].values[j])][:top]
    if not named:
        return []
    rows = []
    for j in named:
        one = data.isel(judgement=j)
        numbers = [_number(one[name].item()) for name in ("stated", "flip")]
        rows.append([one["judgement"].item(), *numbers, one["flip_to"].item(), percent(float(chance[j]))])
    title = "Where another scenario would lead, one judgement alone, all others as stated"
    headings = ["judgement", "stated", "flips at", "to", "as far out, as judged"]
    return ["", title, *table_lines(headings, rows, width=width, left=(0, 3, 4), keep_first=True)]


def _set_lines(data: xr.Dataset, width: int) -> list[str]:
    """Name the reports of a set that is too long for a sentence."""
    size, near = int(data["in_set"].sum()), int(data["in_nearest"].sum())
    if size > _NAMED:
        title, chosen = "These reports, taken away, change who leads: ", data["in_set"].values
    elif near:
        title, chosen = "These reports, taken away, bring a rival nearest: ", data["in_nearest"].values
    else:
        return []
    return ["", *wrap(title + ", ".join(data["report"].values[chosen]) + ".", width)]


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
