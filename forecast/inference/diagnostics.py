"""Diagnostics of a run: thresholds, warnings, impossible evidence, prior-to-posterior drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecast.case.errors import Fault
from forecast.case.warnings import EngineWarning, WarningMessage

if TYPE_CHECKING:  # who only wants a threshold does not load the engine
    from datetime import date

    import xarray as xr

    from forecast.case.folder import Case
    from forecast.case.question import Question
    from forecast.inference.estimates import PosteriorDraws
    from forecast.inference.particles import Chain, ImpossibleEvidence
    from forecast.model.parameters import Block, Layout

# Thresholds: each stands here only, for the engines, the review and the texts.
R_HAT = 1.01  # of chains that agree (Vehtari, Gelman, Simpson, Carpenter and Bürkner 2021)
R_HAT_LENIENT = 1.05  # older practice; with few draws 1.01 is often passed by chance
LEAST_DRAWS = 100  # of each chain: with fewer neither an error nor agreement can be estimated
LEAST_DRAWS_FOR_TAIL = 400  # of all chains: with fewer so small a tail as DRIFT_TAIL cannot
DRIFT_TAIL = 0.02  # share of the prior beyond the posterior mean, below which a judgement has drifted
MOST_PARTICLES = 32_000  # of each chain: the number is doubled no further
MOST_WORK = 1e9  # of each chain: particles x sweeps x sum over cells of reports squared; some 20 s
LOW_EFFECTIVE_SHARE = 0.25  # of the particles, on any date; the engine aims at a half
RULED_OUT = 1000.0  # decibans from which a scenario is ruled out: no report that may be wrong weighs as much
LEAST_DECIBANS = 0.05  # a report of less weight for every scenario is not listed


def run_warnings(run: list[Chain], error: float, tolerance: float, r_hat: float) -> list[WarningMessage]:
    """Return the warnings about particle systems: draws, error, agreement, weights."""
    chains, particles = len(run), len(run[0].theta)
    effective = min(1.0 / (chain.weight**2).sum(axis=1).max() for chain in run)
    texts: dict[EngineWarning, str] = {
        "few draws": f"with {particles} draws in {chains} chain{'s' * (chains > 1)} the Monte Carlo error "
        f"cannot be estimated: use at least 2 chains and {LEAST_DRAWS} draws",
        "tolerance": f"the Monte Carlo error of a probability is {error:.4f}, more than the tolerance of "
        f"{tolerance:g}, with {particles} particles in each of {chains} chains: its last digits are unsure",
        "r_hat": f"the {chains} particle systems differ in their scenario probabilities more than their "
        f"particles do (r_hat {r_hat:.3f}, above {R_HAT}): ask for more draws",
        "weights": "some evidence was predicted by hardly any draw of the judgements: look for a mistyped "
        "value, or for a judgement with far too much weight",
    }
    holds = {
        "few draws": chains == 1 or particles < LEAST_DRAWS,
        "tolerance": error > tolerance,
        "r_hat": r_hat > R_HAT and particles >= LEAST_DRAWS,
        "weights": effective < LOW_EFFECTIVE_SHARE * particles,
    }
    return [WarningMessage(kind, text) for kind, text in texts.items() if holds[kind]]


def open_warnings(question: Question, day: date) -> list[WarningMessage]:
    """Return the warning that an event question is not resolved although its horizon has been reached."""
    if question.event is None or question.resolved is not None or day < question.horizon:
        return []
    quo = question.scenarios[question.event.status_quo]
    text = (
        f"the horizon ({question.horizon}) has been reached and the question is not resolved: it goes on as "
        f"open, as if nothing had happened ({quo.title}); resolve it (`forecast resolve`)"
    )
    return [WarningMessage("still open", text)]


def gap_warnings(run: list[Chain]) -> list[WarningMessage]:
    """Return the warning about past dates without an answer, if there are any."""
    if not any(np.isnan(chain.probability).any() for chain in run):
        return []
    text = "on some past dates no scenario allowed the evidence as then known: the trend has gaps there"
    return [WarningMessage("gaps", text)]


def impossible(case: Case, error: ImpossibleEvidence) -> list[Fault]:
    """Return the faults of evidence that no scenario allows, one for each report of the period."""
    question = case.question
    unit = question.units[error.unit] if question.units else ""
    known = (r for r in case.evidence.known(error.day) if r.unit == unit)
    reports = [r for r in known if question.period(r.date) == error.period]
    if not reports:
        where = f"the period to {question.last_day(error.period)}{f' of {unit}' if unit else ''}"
        return [
            Fault(
                file=str(case.path / "question.yaml"),
                line=0,
                value="silence",
                problem=f"no scenario allows silence about monitored indicators in {where}",
                allowed="silence with a chance above 0 in some scenario",
                fix="give `detection` or the likelihood a value below 1",
            )
        ]
    return [
        Fault(
            file=str(case.path / "evidence.csv"),
            line=r.line,
            value=f"{r.id}: {r.indicator} = {r.value}",
            problem="no scenario allows the reports of this period together, as known on "
            + error.day.isoformat(),
            allowed="evidence with a likelihood above 0 in some scenario",
            fix="correct a report, or give a finite weight to the judgement that is exactly 0 or 1",
        )
        for r in reports
    ]


def drift(layout: Layout, draws: PosteriorDraws) -> xr.Dataset:
    """Compare the posterior of every learning judgement with its prior.

    `tail` is the share of prior draws at least as far out as the posterior mean, 2 min(F, 1 - F): near 1
    where the evidence agrees with the author, below 0.02 where the two hardly overlap. Of a judgement over
    several values the `entry` that moved farthest counts; of yes and no, yes.
    """
    import xarray as xr

    size = layout.size
    before, after = draws.prior.reshape(-1, size), draws.theta.reshape(-1, size).mean(axis=0)
    below = (before < after).mean(axis=0)
    varies = before.max(axis=0) > before.min(axis=0)
    tail = np.where(varies, np.minimum(2 * np.minimum(below, 1 - below), 1.0), 1.0)
    learning = [b for b in layout.blocks if b.learns and b.id.kind not in ("filed", "noise")]
    entry = []
    for block in learning:
        first = 1 if block.size == 2 and block.id.kind == "likelihood" else 0  # yes, rather than no
        entry.append(first + int(np.argmin(tail[block.slots][first:])))
    slot = np.array([block.start + n for block, n in zip(learning, entry, strict=True)], int)
    labels = [_entry(layout, block, n) for block, n in zip(learning, entry, strict=True)]
    values = {"said": layout.mean[slot], "now": after[slot], "tail": tail[slot]}
    names = np.array([block.name for block in learning], dtype=str)
    return xr.Dataset(
        {name: ("judgement", value) for name, value in values.items()},
        {"judgement": names, "entry": ("judgement", np.array(labels, dtype=str)), "draws": len(before)},
    )


def _entry(layout: Layout, block: Block, entry: int) -> str:
    """Return the name of one entry of a judgement over several: a value, or a scenario."""
    if block.id.kind in ("prior", "then", "transition"):
        return layout.question.scenario_ids[entry]
    values = layout.question.indicator(block.id.indicator).values if block.id.kind == "likelihood" else ()
    return values[entry] if values else ""


def drift_warnings(drift: xr.Dataset) -> list[WarningMessage]:
    """Return a warning for each judgement that drifted far."""
    if int(drift["draws"]) < LEAST_DRAWS_FOR_TAIL:
        return []
    far = drift.isel(judgement=np.flatnonzero(drift["tail"].values < DRIFT_TAIL))
    return [
        WarningMessage(
            "drift",
            f"judgement drifted far: {name}{f' ({entry})' if entry else ''} was said to be {said:.3g}, the "
            f"evidence has it at {now:.3g}; see whether the judgement or the evidence is mistaken, or set "
            "`learn: false`",
            (str(name),),
        )
        for name, entry, said, now in zip(
            *(far[column].values for column in ("judgement", "entry", "said", "now")), strict=True
        )
    ]
