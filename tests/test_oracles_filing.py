"""The oracles of what is filed: by hand, and all that could have been filed has probability 1."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from forecast.case.evidence import Evidence, Report
from forecast.case.question import Indicator, Monitored, Question, Reporting
from tests.cases import binary, category, day, question, ratio, report, source, swaps, withdraw
from tests.oracles import importance_sampling, log_joint, mean_theta, weighted_cells
from tests.oracles.cells import Cells
from tests.oracles.theta import Theta

INF = math.inf
PAIR = (source("s", 0.8, INF), source("z", 0.6, INF))  # on average .7
D = {"quiet": 0.2, "event": 0.6, "again": 0.35}
NU = 0.3
RAID = binary("raid", (0.2, 0.5), INF, quiet="no", reporting=Reporting())
TONES = ("none", "oral", "written")
ROWS = ((0.6, 0.3, 0.1), (0.2, 0.5, 0.3))


def ask(*indicators: Indicator, **options: object) -> Question:
    """A question of two scenarios with exact judgements."""
    return question((0.6, 0.4), indicators, PAIR, INF, **options)  # type: ignore[arg-type]


def at(q: Question, evidence: Evidence, d: dict[str, float] = D, nu: float = NU) -> Theta:
    """The judgements' means, with these chances of filing and this share of noise."""
    theta = mean_theta(q, evidence)
    return {**theta, "noise": nu, "filed": dict.fromkeys(theta["filed"], d)}


def cells(q: Question, log: tuple[Report, ...], as_of: int) -> dict[int, list[float]]:
    """What the cells of the only indicator say, by period."""
    evidence = Evidence(log)
    found = weighted_cells(q, evidence, day(as_of), at(q, evidence))
    return {key[1]: [float(v) for v in m] for key, m in found.items()}


def mixed(happened: float, not_happened: float, f: tuple[float, ...] = (0.2, 0.5)) -> object:
    """Sum over what happened."""
    return pytest.approx([p * happened + (1 - p) * not_happened for p in f])


# --- by hand -----------------------------------------------------------------------------------------------


def test_a_report_and_silence():
    found = cells(ask(RAID), (report("a", 1, "raid", "yes"), report("b", 15, "raid", "no", "z")), 27)
    # week 0 says that somebody began to look: no factor of filing
    assert found[0] == mixed(0.8 + 0.2 * 0.3, 0.2 * 0.3)
    # a claim of .7: yes .79 or .09; 1 - .79 * .6 - .21 * .2 = .484; 1 - .09 * .6 - .91 * .2 = .764
    assert found[1] == mixed(0.484, 0.764)
    # a no by a source of .6, noise .7 of it no; filed with .2
    assert found[2] == mixed(0.2 * 0.4 * 0.7, 0.2 * (0.6 + 0.4 * 0.7))
    assert sorted(found) == [0, 1, 2]  # of week 3 not all is in before day 34


def test_noise_that_says_nothing_of_a_quiet_value():
    tone = category("tone", TONES, ROWS, INF, quiet="none", reporting=Reporting())
    (m,) = cells(ask(tone), (report("a", 1, "tone", "oral"),), 6).values()
    assert m == pytest.approx([0.3 * 0.8 + 0.2 * 0.15, 0.5 * 0.8 + 0.2 * 0.15])
    flat = replace(tone, quiet="")
    found = cells(ask(flat), (report("a", 1, "tone", "none"),), 20)
    assert found[0] == pytest.approx([0.6 * 0.8 + 0.2 / 3, 0.2 * 0.8 + 0.2 / 3])
    assert found[1] == pytest.approx([0.4, 0.4])  # silence of d_1 = .6 for every claim says nothing


def test_what_goes_on_is_filed_with_a_chance_of_its_own():
    front = replace(RAID, id="front", persistence=0.5)
    log = (report("a", 1, "front", "yes"), report("b", 8, "front", "yes"))
    q = ask(front)
    found = cells(q, log, 27)
    # the yes of week 1 repeats the yes of week 0: .35; in week 0 no factor
    f, told = np.array([0.2, 0.5]), {"yes": 0.86, "no": 0.06}
    b0 = f * told["yes"] / (f * told["yes"] + (1 - f) * told["no"])
    b1 = 0.5 * b0 + 0.5 * f
    m1 = b1 * told["yes"] + (1 - b1) * told["no"]
    assert found[1] == pytest.approx((0.35 * m1).tolist())
    # silence of week 2: a yes would have been filed with .35
    b2 = 0.5 * b1 * told["yes"] / m1 + 0.5 * f
    silent = {"yes": 1 - 0.79 * 0.35 - 0.21 * 0.2, "no": 1 - 0.09 * 0.35 - 0.91 * 0.2}
    assert found[2] == pytest.approx((b2 * silent["yes"] + (1 - b2) * silent["no"]).tolist())
    # after a no it would be news: .6
    denied = cells(q, (*log, report("c", 9, "front", "no", "z")), 27)
    silent = {"yes": 1 - 0.79 * 0.6 - 0.21 * 0.2, "no": 1 - 0.09 * 0.6 - 0.91 * 0.2}
    told = {"yes": 0.86 * 0.4 * 0.7, "no": 0.06 * (0.6 + 0.4 * 0.7)}
    b1 = b1 * told["yes"] / (b1 * told["yes"] + (1 - b1) * told["no"])
    b2 = 0.5 * b1 + 0.5 * f
    assert denied[2] == pytest.approx((b2 * silent["yes"] + (1 - b2) * silent["no"]).tolist())


@pytest.mark.parametrize(
    ("reporting", "log", "weeks"),
    [
        # from the week after the indicator's first report on
        (Reporting(), (report("a", 8, "raid", "yes"),), {2, 3}),
        # not before the log's first report became known
        (Reporting(), (report("a", 1, "raid", "yes", known=22),), {3}),
        (Reporting(), (report("a", 15, "raid", "yes"), report("b", 1, "other", "yes")), {3}),
        (Reporting(), (report("b", 1, "other", "yes"),), set()),
        # a late report of an earlier week moves the start
        (Reporting(), (report("a", 15, "raid", "yes"), report("c", 2, "raid", "yes", known=16)), {2, 3}),
        # withdrawn: never said
        (Reporting(), (report("a", 8, "raid", "yes"), withdraw("w", 20, "a")), set()),
        # since a day: whatever was said or not
        (Reporting(since=day(9)), (), {1, 2, 3}),
        (Reporting(since=day(-30)), (report("a", 22, "raid", "yes"),), {0, 1, 2, 3}),
        (Reporting(lag=14), (report("a", 8, "raid", "yes"),), {2}),
        (Reporting(lag=0), (report("a", 8, "raid", "yes"),), {2, 3, 4}),
        (None, (report("a", 8, "raid", "yes"),), set()),
    ],
)
def test_when_it_counts_what_is_filed(reporting, log, weeks):
    q = ask(replace(RAID, reporting=reporting), binary("other", (0.2, 0.5), INF))
    evidence = Evidence(log)
    found = Cells(q, evidence, day(34), at(q, evidence))
    assert {t for t in range(5) if found.filing(("", t, "raid"))} == weeks
    assert not any(found.filing(("", t, "other")) for t in range(5))


def test_ratios_and_ignored_indicators_say_nothing_by_silence():
    q = ask(replace(ratio("view", (1, 3)), quiet="no", reporting=Reporting()), replace(RAID, reporting=None))
    log = (report("a", 1, "view", "yes"), report("b", 1, "raid", "yes"))
    evidence = Evidence(log)
    found = weighted_cells(q, evidence, day(34), at(q, evidence))
    assert {key[1] for key in found} == {0}
    assert found["", 0, "raid"] == mixed(0.9, 0.1)  # noise is half yes


def test_an_answer_is_one_cell_with_its_offer():
    offer = category("offer", TONES, ROWS, INF, reporting=Reporting(since=day(0)))
    answer = binary("answer", (0.3, 0.6), INF, given="offer", quiet="no", reporting=Reporting())
    log = (report("a", 1, "answer", "yes"), report("b", 2, "offer", "none", "z"))
    q = ask(offer, answer)
    found = cells(q, log, 20)
    # the earliest is a report of the child: .6. None of an offer: the answer is noise, .2 * .3
    none = (0.6 + 0.4 * 0.7) * 0.2 * 0.3
    some = [0.4 * 0.7 * (p * 0.86 + (1 - p) * 0.06) for p in (0.3, 0.6)]
    m = [0.6 * (f[0] * none + (1 - f[0]) * s) for f, s in zip(ROWS, some, strict=True)]
    assert found[0] == pytest.approx(m)
    # silence of week 1: of the offer alone; none claimed as such .7 + .3 * .7, or by noise of another
    none = 1 - 0.91 * 0.2 - 0.09 * 0.6
    some = 1 - 0.21 * 0.2 - 0.79 * 0.6  # type: ignore[assignment]
    assert found[1] == pytest.approx([f[0] * none + (1 - f[0]) * some for f in ROWS])  # type: ignore[operator]


WATCH = Monitored(day(0), day(60), 0.6, lag=2, false_alarm=0.05)


@pytest.mark.parametrize(("reporting", "nu"), [(None, 0.5), (Reporting(), 0.3)])
def test_a_monitored_indicator_that_is_reported(reporting, nu):
    q = ask(binary("raid", (0.2, 0.5), INF, monitored=WATCH, quiet="no", reporting=reporting))
    average = 0.3 * nu
    # s is better than the average, z worse
    for by, r in (("s", 0.8), ("z", 0.6)):
        found = cells(q, (report("a", 1, "raid", "yes", by),), 3)[0]
        yes, no = r + (1 - r) * nu, (1 - r) * nu
        assert found == mixed(0.6 * yes / (0.7 + average), 0.05 * no / average)
    # an average source counts detection : false alarm; all other reports enter as they are
    q = replace(q, sources=(source("s", 0.7, INF), source("z", 0.7, INF)))
    log = (report("a", 1, "raid", "yes"), report("b", 2, "raid", "no", "z"))
    found = cells(q, log, 6)[0]
    assert found == mixed(0.6 * 0.3 * (1 - nu), 0.05 * (0.7 + 0.3 * (1 - nu)))


def test_a_report_of_a_child_is_the_chance_alone():
    offer = category("offer", TONES, ROWS, INF, monitored=WATCH)
    q = ask(offer, binary("answer", (0.3, 0.6), INF, given="offer"))
    log = (report("a", 1, "answer", "yes"), report("b", 2, "offer", "oral", "z"))
    found = cells(q, log, 8)[0]
    said = [p * 0.9 + (1 - p) * 0.1 for p in (0.3, 0.6)]
    m = [
        f[0] * 0.05 * 0.1 * (0.4 / 3) + 0.6 * s * (f[1] * (0.6 + 0.4 / 3) + f[2] * 0.4 / 3)
        for f, s in zip(ROWS, said, strict=True)
    ]
    assert found == pytest.approx(m)


def test_exponents_take_chances_of_their_own():
    q = replace(ask(RAID), cap=1.1)
    log = (report("a", 1, "raid", "yes"),)
    evidence = Evidence(log)
    found = Cells(q, evidence, day(20), at(q, evidence)).exponents()["", 1, "raid"]
    # .5, .05 and noise of a half: 1 - .85 * .5 - .15 * .05 and 1 - .15 * .5 - .85 * .05
    yes, no = 0.5675, 0.8825
    m = [p * yes + (1 - p) * no for p in (0.2, 0.5)]
    assert found == pytest.approx(math.log(1.1) / math.log(m[0] / m[1]))


# --- all that could have been filed ------------------------------------------------------------------------


def logs(values: tuple[str, ...], weeks: int, name: str, *, began: bool) -> Iterator[tuple[Report, ...]]:
    """Yield every log of one report or none a week; `began`: there is one of week 0."""
    for said in product((None, *values), repeat=weeks):
        if not began or said[0] is not None:
            yield tuple(report(f"r{t}", 7 * t, name, v) for t, v in enumerate(said) if v is not None)


@pytest.mark.parametrize("since", [None, day(0)])
@pytest.mark.parametrize("persistence", [None, 0.8])
@pytest.mark.parametrize("quiet", ["none", ""])
def test_all_that_could_be_filed_sums_to_one(since, persistence, quiet):
    """Sources of the average reliability, so that a report is as likely as the silence takes it to be."""
    tone = category("tone", TONES, ROWS, INF, quiet=quiet, persistence=persistence)
    tone = replace(tone, reporting=Reporting(since=since))
    q = question((0.6, 0.4), (tone,), (source("s", 0.7, INF),), INF, dynamics=swaps(True))
    total = 0.0
    for log in logs(TONES, 3, "tone", began=since is None):
        evidence = Evidence(log)  # of weeks 0 to 2; that of week 3 is not in yet
        total += np.exp(log_joint(q, evidence, day(27), at(q, evidence))).sum()
    assert total == pytest.approx(1.0)


# --- the chances of filing are learnt ----------------------------------------------------------------------


def events_only(weeks: int) -> tuple[Question, Evidence]:
    """A log of events: a yes in the first week and in every fourth after it, never a no."""
    q = ask(RAID, weeks=weeks)
    log = tuple(report(f"r{t}", 7 * t, "raid", "yes") for t in range(0, weeks, 4))
    return q, Evidence(log)


def test_a_log_of_events_teaches_that_silence_speaks():
    """The chance that a no is filed falls; without learning it, silence would say less."""
    q, evidence = events_only(12)
    sampled = importance_sampling(q, evidence, day(90), 100_000, 7, names=("now",))
    d0 = float(np.sum(sampled.weights * sampled.theta["filed"][""]["quiet"]))
    assert d0 < 0.15 < 1 / 3
    assert sampled.ess > 2_000
    ignored = replace(q, indicators=(replace(RAID, reporting=None),))
    said = importance_sampling(ignored, evidence, day(90), 1, 7, names=("now",)).mean["now"]
    assert sampled.mean["now"][0] > said[0] + 0.2


def test_importance_sampling_of_one_silent_week_by_hand():
    """One report, one silent week: what is uncertain enters linearly, so that its means answer.

    Of the noise and the chances of filing, d_1 and d_0 are independent of each other and of nu; the
    report of week 0 and the silence of week 1 share nu, whose second moment is .25 + .25 / 11.
    """
    q, log = ask(RAID), Evidence((report("a", 1, "raid", "yes"),))
    nu, square = 0.5, 0.25 + 0.25 / 11
    yes0, no0 = np.array([0.8, 0.2]), np.array([0.0, 0.2])  # constant and slope in nu of the report
    # silence: 1 - P(yes | x) .6 - P(no | x) / 3 with P(yes | x) = .7 x + .3 nu
    yes1 = np.array([1 - 0.7 * 0.6 - 0.3 / 3, -0.3 * 0.6 + 0.3 / 3])
    no1 = np.array([1 - 1 / 3, -0.3 * 0.6 + 0.3 / 3])

    def expected(f: float) -> float:
        a, b = f * yes0 + (1 - f) * no0, f * yes1 + (1 - f) * no1
        return float(a[0] * b[0] + (a[0] * b[1] + a[1] * b[0]) * nu + a[1] * b[1] * square)

    ways = np.array([0.6 * expected(0.2), 0.4 * expected(0.5)])
    sampled = importance_sampling(q, log, day(20), 200_000, 8, names=("now",))
    assert sampled.mean["now"] == pytest.approx(ways / ways.sum(), abs=4 * sampled.mcse["now"].max())
    assert sampled.mcse["now"].max() < 5e-4
    assert sampled.marginal == pytest.approx(ways.sum(), rel=0.005)
