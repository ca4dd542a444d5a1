"""What a run's numbers cannot be trusted for, and evidence that no scenario allows, in plain words."""

from __future__ import annotations

import numpy as np

from forecast.case.faults import Fault
from forecast.case.folder import Case
from forecast.inference.chain import Chain, ImpossibleEvidence

R_HAT = 1.01  # Vehtari et al. 2021
FEWEST = 100  # draws of a chain from which an error can be told


def run_warnings(run: list[Chain], error: float, tolerance: float, r_hat: float) -> list[str]:
    """Say what the numbers cannot be trusted for."""
    chains, particles = len(run), len(run[0].theta)
    found = []
    if chains == 1 or particles < FEWEST:
        found.append(
            f"with {particles} draws in {chains} chain{'s' * (chains > 1)} the Monte Carlo error cannot be "
            f"told: use at least 2 chains and {FEWEST} draws"
        )
    if error > tolerance:
        found.append(
            f"the Monte Carlo error of a probability is {error:.4f}, more than the tolerance of "
            f"{tolerance:g}, with {particles} particles in each of {chains} chains: its last digits are "
            "unsure"
        )
    if r_hat > R_HAT and particles >= FEWEST:
        found.append(
            f"the {chains} particle systems differ in their scenario probabilities more than their particles "
            f"do (r_hat {r_hat:.3f}, above {R_HAT}): ask for more draws"
        )
    if min(1.0 / (chain.weight**2).sum(axis=1).max() for chain in run) < 0.25 * particles:
        found.append(
            "some evidence was foretold by hardly any draw of the judgements: look for a mistyped value, or "
            "for a judgement with far too much weight"
        )
    return found


def gaps(run: list[Chain]) -> list[str]:
    """Say where there is no answer at all."""
    if not any(np.isnan(chain.probability).any() for chain in run):
        return []
    return ["on some past dates no scenario allowed the evidence as then known: the trend has gaps there"]


def impossible(case: Case, error: ImpossibleEvidence) -> list[Fault]:
    """Return the faults of evidence that no scenario allows, one for each report of the period."""
    question = case.question
    unit = question.units[error.unit] if question.units else ""
    reports = [
        r
        for r in case.evidence.known(error.day)
        if question.period(r.date) == error.period and r.unit == unit
    ]
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
