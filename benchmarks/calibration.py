"""``python -m benchmarks.calibration``: the inference held against simulation, at length.

Prints the tables of `docs/calibration.md` and draws its plot; 1 if a test says that the engine is not
calibrated. It takes most of an hour on one core. What is simulated and ranked is in `tests/calibration/`.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from scipy.stats import binom, norm

from benchmarks.table import machine
from forecast.report.plots.calibration import plot_calibration
from tests.calibration.engines import FAULTS, lean_smc
from tests.calibration.questions import JUDGED, QUESTIONS, as_of
from tests.calibration.ranks import DRAWS, InferOne, Ranked, Whole, few, simulate_ranks, uniformity, values
from tests.calibration.scores import Bin, bins, confidence, spiegelhalter
from tests.calibration.together import CAPS, GROUPS, Setting, forecasts
from tests.calibration.world import simulate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SEED = 7
ALARM = 1e-3  # of all tests together that the engine is calibrated
LIGHT, SURE = lean_smc(draws=200, chains=2), lean_smc(draws=4, chains=1)  # SURE: for exact judgements
PLOT = Path(__file__).parents[1] / "docs" / "calibration.png"
PANELS, BARS = 9, 20  # of a row; of a histogram
WHEN = ("now", "at the horizon")


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate, print the tables, draw the plot; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__)
    parser.add_argument("--number", type=int, default=2000, help="simulations of each question")
    parser.add_argument("--faults", type=int, default=500, help="simulations of each fault; 0: none")
    parser.add_argument(
        "--together", type=int, default=1000, help="simulations of each group or cap; 0: none"
    )
    parser.add_argument("--draws", type=int, default=256, help="particles of a chain")
    parser.add_argument("--chains", type=int, default=4)
    parser.add_argument("--plot", type=Path, default=PLOT, help="where the plot goes")
    chosen = parser.parse_args(arguments)
    engine = lean_smc(chosen.draws, chosen.chains)
    found = {name: ranked(engine, name, chosen.number) for name in QUESTIONS}
    p_values = [*rank_p_values(found).values(), *brier_p_values(found).values()]
    tables = {when: pooled(found, when) for when in WHEN}
    p_values += [row.p_value for rows in tables.values() for row in rows]
    least, level = min(p_values), ALARM / len(p_values)
    print(f"{machine()}\n\n{len(p_values)} tests, each at {level:.1e}; least p-value {least:.2g}\n")
    print(table(("ranked", *QUESTIONS), rank_rows(found)))
    print(table(("Brier score against its expectation", "z", "p"), brier_rows(found)))
    for when, rows in tables.items():
        print(table((f"given {when}", "number", "mean", "true", "95 % interval", "p"), bin_rows(rows)))
    draw(found, tables, chosen.plot)
    curve = plot_calibration(as_dataset(tables[WHEN[0]]), title="Scenarios of the present, in simulation")
    curve.savefig(chosen.plot.with_name("calibration-now.png"))
    dependence = dependence_rows(engine)
    print(
        table(("variance of the mean of the draws that are ranked among", "if independent = 1"), dependence)
    )
    resolution = resolution_rows(chosen.number)
    print(table((f"a posterior that is wrong, {chosen.number} simulations", "found"), resolution))
    if chosen.faults:
        print(table(("fault", "found by", "p-value"), fault_rows(chosen.faults, level)))
    if chosen.together:
        head = ("world", "", "slope", "lean, points", "log score")
        print(table(head, together_rows((*GROUPS, *CAPS), chosen.together)))
    return int(least < level)


def table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def said(name: str, number: int) -> Callable[[int], None]:
    """Return what tells on standard error how far a simulation is."""

    def progress(done: int) -> None:
        if done % 50 == 0 or done == number:
            print(f"\r{name}: {done} of {number}", end="" if done < number else "\n", file=sys.stderr)

    return progress


# --- ranks -------------------------------------------------------------------------------------------------


def ranked(engine: InferOne, name: str, number: int) -> Ranked:
    """Simulate a question."""
    question, judged = QUESTIONS[name](), JUDGED[name]
    day, progress = as_of(question), said(name, number)
    return simulate_ranks(
        engine, question, judged=judged, as_of=day, number=number, seed=SEED, progress=progress
    )


def rank_p_values(found: dict[str, Ranked]) -> dict[tuple[str, str], float]:
    """Return the p-value of uniformity by what was ranked and question."""
    return {(label, name): uniformity(r) for name, one in found.items() for label, r in one.rank.items()}


def rank_rows(found: dict[str, Ranked]) -> Iterator[list[str]]:
    """Yield the p-values, a row for what was ranked and a column for the question."""
    p_values = rank_p_values(found)
    for label in dict.fromkeys(label for label, _ in p_values):
        yield [label, *(f"{p_values[label, n]:.2g}" if (label, n) in p_values else "" for n in found)]


def brier_p_values(found: dict[str, Ranked]) -> dict[tuple[str, str], float]:
    """Return the p-value of Spiegelhalter's z by question and date."""
    return {
        (name, when): spiegelhalter(given, one.true[when])[1]
        for name, one in found.items()
        for when, given in one.given.items()
    }


def brier_rows(found: dict[str, Ranked]) -> Iterator[list[str]]:
    """Yield Spiegelhalter's z and its p-value."""
    for (name, when), p in brier_p_values(found).items():
        z, _ = spiegelhalter(found[name].given[when], found[name].true[when])
        yield [f"{name}, {when}", f"{z:+.2f}", f"{p:.2g}"]


def pooled(found: dict[str, Ranked], when: str) -> list[Bin]:
    """Return the ten bins of all questions' probabilities at a date; a static one's horizon is its now."""
    pairs = [(one.given[when], one.true[when]) for one in found.values() if when in one.given]
    widest = max(given.shape[1] for given, _ in pairs)
    wide = [np.pad(p, ((0, 0), (0, widest - p.shape[1])), constant_values=-1.0) for p, _ in pairs]
    return bins(np.concatenate(wide), np.concatenate([true for _, true in pairs]))


def bin_rows(rows: list[Bin]) -> Iterator[list[str]]:
    """Yield the bins in percent."""
    for row in rows:
        share = [f"{100 * x:.1f}" for x in (row.given, row.observed, row.least, row.most)]
        width = f"{100 * row.low:.0f}-{100 * row.high:.0f} %"
        yield [width, f"{row.number:,}", *share[:2], f"{share[2]} to {share[3]}", f"{row.p_value:.2g}"]


def dependence_rows(engine: InferOne, worlds: int = 10, seeds: int = 20) -> Iterator[list[str]]:
    """Yield by how much the mean of DRAWS draws varies from seed to seed more than that of independent ones.

    The mean over worlds and judgements of DRAWS var(mean) / var(draws).
    """
    for name, build in QUESTIONS.items():
        question, ratios = build(), []
        for n in range(worlds):
            rng = np.random.default_rng([SEED, n])
            evidence = simulate(question, as_of(question), rng).evidence
            drawn = []
            for seed in range(seeds):
                tree = engine(question, evidence, as_of(question), seed)
                which = few(tree, rng)
                drawn.append([values(tree, one)[which] for one in JUDGED[name]])
            chosen = np.array(drawn)  # (seeds, judgements, DRAWS)
            ratios.append(DRAWS * chosen.mean(axis=2).var(axis=0, ddof=1) / chosen.var(axis=(0, 2)))
        yield [name, f"{np.mean(ratios):.2f} ± {np.mean(ratios, axis=1).std() / np.sqrt(worlds):.2f}"]


def resolution_rows(number: int, times: int = 40) -> Iterator[list[str]]:
    """Yield how often ranks give away a posterior that lies aside, or is too narrow or too wide."""
    rng, level = np.random.default_rng(SEED), 2e-5
    wrong = {f"aside by {d} of its standard deviations": (d, 1.0) for d in (0.1, 0.15, 0.2, 0.3)}
    wrong |= {f"{w} times as wide as it should be": (0.0, w) for w in (0.7, 0.8, 0.85, 1.2, 1.3)}
    for label, (aside, width) in wrong.items():
        z = (rng.standard_normal((times, number)) + aside) / width
        places = (norm.cdf(z) * (DRAWS + 1)).astype(np.int64).clip(max=DRAWS)
        yield [label, f"{100 * np.mean([uniformity(row) < level for row in places]):.0f} %"]


def fault_rows(number: int, level: float) -> Iterator[list[str]]:
    """Yield what each fault put in on purpose shows in."""
    for fault in FAULTS:
        question, judged = QUESTIONS[fault.question](), JUDGED[fault.question]
        one = simulate_ranks(
            fault.engine(LIGHT),
            question,
            judged=judged,
            as_of=as_of(question),
            number=number,
            seed=SEED,
            world=fault.world(question),
            progress=said(fault.label, number),
        )
        p_values = {label: uniformity(ranks) for label, ranks in one.rank.items()}
        p_values |= {
            f"Brier score, {when}": spiegelhalter(p, one.true[when])[1] for when, p in one.given.items()
        }
        for label, p in sorted(p_values.items(), key=lambda item: item[1])[:2]:
            yield [fault.label, label + (" (found)" if p < level else ""), f"{p:.1g}"]


# --- groups and the cap ------------------------------------------------------------------------------------


def together_rows(settings: Sequence[Setting], number: int) -> Iterator[list[str]]:
    """Yield how confident forecasts are without and with group or cap."""
    for setting in settings:
        print(setting.label, file=sys.stderr)
        engine = SURE if np.isinf(setting.weight) else LIGHT
        without, told, true = forecasts(engine, setting, number=number, seed=SEED)
        gain = np.log(np.where(true, told, 1 - told)) - np.log(np.where(true, without, 1 - without))
        for name, given in (("without", without), ("with", told)):
            one = confidence(given, true)
            slope = f"{one.slope:.2f} ± {one.slope_error:.2f}"
            lean = f"{100 * one.lean:+.1f} ± {100 * one.lean_error:.1f}"
            score = f"{one.score:.3f}"
            if name == "with":
                score += f" ({gain.mean():+.3f} ± {gain.std() / np.sqrt(number):.3f})"
            yield [setting.label, name, slope, lean, score]


# --- the plot ----------------------------------------------------------------------------------------------


def draw(found: dict[str, Ranked], tables: dict[str, list[Bin]], path: Path) -> None:
    """Draw the rank histograms with their bands, and the calibration curves with their intervals."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    histograms = [(name, label, ranks) for name, one in found.items() for label, ranks in one.rank.items()]
    rows = -(-len(histograms) // PANELS)
    figure = plt.figure(figsize=(13.5, 1.35 * rows + 4.6), layout="constrained")
    parts = figure.subfigures(2, 1, height_ratios=(1.35 * rows, 4.6), squeeze=False)
    upper, lower = parts[0, 0], parts[1, 0]
    panels = upper.subplots(rows, PANELS, sharex=True)
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, (name, label, ranks) in zip(panels.flat, histograms, strict=False):
        axes.set_axis_on()
        _histogram(axes, ranks, f"{name}: {label}")
    for axes, (when, table_of) in zip(lower.subplots(1, len(tables)), tables.items(), strict=True):
        _curve(axes, table_of, when)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def as_dataset(rows: list[Bin]) -> xr.Dataset:
    """Return bins as :func:`forecast.plot_calibration` takes them."""
    names = {
        "probability": "given",
        "observed": "observed",
        "low": "least",
        "high": "most",
        "number": "number",
    }
    return xr.Dataset(
        {name: ("bin", np.array([getattr(row, field) for row in rows])) for name, field in names.items()}
    )


def _histogram(axes: Axes, ranks: Whole, title: str) -> None:
    """Draw one histogram: the band holds all bars of 95 % of uniform samples."""
    number, tail = len(ranks), 0.05 / BARS / 2
    counts = np.bincount(ranks * BARS // (DRAWS + 1), minlength=BARS)
    low, high = binom.ppf([tail, 1 - tail], number, 1 / BARS)
    axes.bar(np.arange(BARS) + 0.5, counts, width=1.0, color="0.75", edgecolor="0.5", linewidth=0.4)
    axes.axhspan(low, high, facecolor="none", edgecolor="black", linewidth=0.7, linestyle="--")
    axes.axhline(number / BARS, color="black", linewidth=0.7)
    axes.set(ylim=(0, 2 * number / BARS), xlim=(0, BARS), xticks=[], yticks=[])
    axes.set_title(textwrap.fill(title, 24), fontsize=7, pad=2)


def _curve(axes: Axes, rows: list[Bin], when: str) -> None:
    """Draw how often what was given a probability was true."""
    some = [row for row in rows if row.number]
    given, true = (np.array([getattr(row, name) for row in some]) for name in ("given", "observed"))
    reach = np.array([[row.observed - row.least, row.most - row.observed] for row in some]).T
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
    axes.errorbar(given, true, yerr=reach, fmt="ko", markersize=3.5, capsize=2.5, linewidth=0.9)
    axes.set(
        xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="probability given", ylabel="share that was true"
    )
    axes.set_title(f"{when}: all scenarios of all simulations, 95 % intervals", fontsize=9)


if __name__ == "__main__":
    sys.exit(main())
