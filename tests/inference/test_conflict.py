"""Conflict against enumeration: marginals, joint, paths, by a sum over every path."""

from __future__ import annotations

import math
from datetime import date
from itertools import combinations, pairwise, product

import numpy as np
import pytest

from forecast.case.errors import InputError
from forecast.case.evidence import Evidence
from forecast.case.folder import load_case
from forecast.inference.conflict import conflict, evidence_conflict
from forecast.model.problem import build_problem
from tests.case.base import write
from tests.cases import Small, binary, day, question, report, small, source
from tests.oracles.cells import Cells, Key
from tests.oracles.paths import step_matrix
from tests.oracles.theta import mean_theta

DECIBAN = 10 / math.log(10)


class Enumerated:
    """Sums over all paths of one unit, the judgements at their means."""

    def __init__(self, case: Small, unit: str) -> None:
        q = case.question
        self.theta = mean_theta(q, case.evidence)
        self.cells = Cells(q, case.evidence, case.as_of, self.theta)
        self.power = {key: p for key, p in self.cells.exponents().items() if key[0] == unit}
        self.size, periods = len(q.scenarios), q.period(case.as_of) + 1
        step = step_matrix(q, self.theta)
        self.paths = {
            path: self.theta["prior"][path[0]] * math.prod(step[i][j] for i, j in pairwise(path))
            for path in product(range(self.size), repeat=periods)
        }

    def given(self, name: str, periods: list[int], unit: str, path: tuple[int, ...]) -> float:
        """Return P(these cells of one indicator | path), each to its exponent.

        Of a value that persists a cell's is the predictive probability: the hidden value is drawn anew where
        the path comes to another scenario, and stays with probability q from period to period.
        """
        indicator, total, belief, last = self.cells.indicators[name], 1.0, list[float](), 0
        for t in periods:
            s, key = path[t], (unit, t, name)
            fresh = [float(self.cells.density(indicator, x, s, self.theta)) for x in indicator.values]
            if not indicator.values or indicator.persistence is None:
                total *= float(self.cells.compound(key, s, self.theta)) ** self.power[key]
                continue
            stays = bool(belief) and len(set(path[last : t + 1])) == 1
            hold = indicator.persistence ** (t - last) if stays else 0.0
            before = belief if stays else fresh
            said = [float(self.cells.given_value(key, x, s, self.theta)) for x in indicator.values]
            joint = [(hold * b + (1 - hold) * f) * w for b, f, w in zip(before, fresh, said, strict=True)]
            total *= sum(joint) ** self.power[key]
            belief, last = [j / sum(joint) for j in joint], t
        return total

    def p(self, keys: list[Key], paths: list[tuple[int, ...]] | None = None) -> float:
        """Return P(these cells, and one of these paths)."""
        by_indicator: dict[tuple[str, str], list[int]] = {}
        for unit, t, name in sorted(keys, key=lambda key: key[1]):
            by_indicator.setdefault((unit, name), []).append(t)
        return sum(
            self.paths[path]
            * math.prod(
                self.given(name, periods, unit, path) for (unit, name), periods in by_indicator.items()
            )
            for path in (self.paths if paths is None else paths)
            if self.paths[path] > 0
        )

    def path(self, a: int, b: int) -> list[tuple[int, ...]]:
        """Return the paths that are first in a, then in b for good; or in a throughout."""
        changes = {path: [(i, j) for i, j in pairwise(path) if i != j] for path in self.paths}
        wanted = [] if a == b else [(a, b)]
        return [path for path, moved in changes.items() if moved == wanted and path[0] == a]


CASES = (
    "yes_no",
    "moving",
    "stepping",
    "agreeing_and_clashing",
    "given_pair",
    "grouped",
    "of_units",
    "everything",
    "persistent",
    "given_unmonitored",
    "events_filed",
    "filed_states",
    "filed_pair",
)


@pytest.mark.parametrize("name", CASES)
def test_conflict_is_that_of_enumeration(name):
    """In all, of every cell with all others, of the worst pairs, and what the paths gain."""
    case = small(name, False)
    found = evidence_conflict(build_problem(case.question, case.evidence, case.as_of))
    units, ids = case.question.units or ("",), [s.id for s in case.question.scenarios]
    pairs, cells = list[float](), dict[str, float]()
    for u, unit in enumerate(units):
        every = Enumerated(case, unit)
        keys, here = list(every.power), found.isel(unit=u) if case.question.units else found
        total = sum(math.log(every.p([k])) for k in keys) - math.log(every.p(keys))
        assert float(here["conflict"]) == pytest.approx(DECIBAN * total, abs=1e-9)
        for k in keys:
            rest = [other for other in keys if other != k]
            name_ = f"{k[2]} {case.question.last_day(k[1])} {unit}".strip()
            cells[name_] = DECIBAN * math.log(every.p([k]) * every.p(rest) / every.p(keys))
        for one, two in combinations(keys, 2):
            pairs.append(DECIBAN * math.log(every.p([one]) * every.p([two]) / every.p([one, two])))
        for a, b in product(range(every.size), repeat=2):
            label = ids[a] if a == b else f"{ids[a]}, then {ids[b]}"
            paths = every.path(a, b)
            prior = sum(every.paths[path] for path in paths)
            if prior == 0:
                continue
            path = here.sel(path=label)
            after = every.p(keys, paths) / every.p(keys)
            assert float(path["prior_probability"]) == pytest.approx(prior, rel=1e-9)
            assert float(path["probability"]) == pytest.approx(after, rel=1e-9)
            gain = math.log(after / prior)
            assert float(path["gain"]) == pytest.approx(DECIBAN * gain, abs=1e-8)
            if abs(gain - total) > 1e-9:
                assert bool(path["explains"]) == (gain > total)
    assert dict(
        zip(found["cell"].values.tolist(), found["cell_conflict"].values, strict=True)
    ) == pytest.approx(cells, abs=1e-8)
    worst = sorted((p for p in pairs if p > 1e-12), reverse=True)[:10]
    positive = found["pair_conflict"].values[found["pair_conflict"].values > 1e-12]
    assert positive == pytest.approx(worst, abs=1e-9)


def clashing() -> Small:
    """Each of two sure signs is rare but for its own scenario; together they tell of a third."""
    q = question(
        (0.495, 0.495, 0.01),
        (binary("black", (0.9, 0.01, 0.9), math.inf), binary("white", (0.01, 0.9, 0.9), math.inf)),
        (source("s", 0.99, math.inf),),
        math.inf,
    )
    return Small(q, Evidence((report("a", 1, "black", "yes"), report("b", 2, "white", "yes"))), day(6))


def test_signs_at_odds_are_a_conflict_and_a_rare_path_may_explain_it():
    """Black says alpha, white says beta; gamma is rare and makes both likely."""
    case = clashing()
    found = evidence_conflict(build_problem(case.question, case.evidence, case.as_of))
    assert float(found["conflict"]) > 5
    assert found["path"].values.tolist() == ["alpha", "beta", "gamma"]  # a static question has no others
    assert found["explains"].values.tolist() == [False, False, True]
    assert float(found["prior_probability"].sel(path="gamma")) == pytest.approx(0.01)
    assert {str(found["first"].values[0])[:5], str(found["second"].values[0])[:5]} == {"black", "white"}


def test_signs_that_agree_are_none():
    case = small("yes_no", True)
    agree = tuple(r for r in case.evidence.reports if r.value == "yes")
    found = evidence_conflict(build_problem(case.question, Evidence(agree), case.as_of))
    assert float(found["conflict"]) <= 0


def test_nothing_heard_is_no_conflict():
    case = small("nothing_heard", False)
    found = evidence_conflict(build_problem(case.question, case.evidence, case.as_of))
    assert float(found["conflict"]) == pytest.approx(0.0, abs=1e-9)
    assert found.sizes["cell"] == found.sizes["pair"] == 0


def test_what_rules_a_scenario_out_is_counted():
    """A likelihood of 0 in one scenario: by hand, P(a) = .5, P(b | a) = .2, P(b) = .5."""
    q = question(
        (0.5, 0.5),
        (binary("never", (0.0, 1.0), math.inf), binary("mild", (0.8, 0.2), math.inf)),
        (source("s", 1.0, math.inf),),
        math.inf,
    )
    log = (report("a", 1, "never", "yes"), report("b", 2, "mild", "yes"))
    found = evidence_conflict(build_problem(q, Evidence(log), day(6)))
    assert float(found["conflict"]) == pytest.approx(DECIBAN * math.log(0.5 / 0.2))
    assert found["cell_conflict"].values == pytest.approx(DECIBAN * np.log([0.5 / 0.2] * 2))


def test_a_folder_and_a_case_give_one_answer(tmp_path):
    write(tmp_path)
    case, on = load_case(tmp_path), date(2024, 2, 10)
    assert conflict(tmp_path, as_of=on).identical(conflict(case, as_of=on))
    assert conflict(case).identical(conflict(case, as_of=case.question.horizon))


def test_the_question_must_be_open(tmp_path):
    write(tmp_path)
    with pytest.raises(InputError, match="not open on this day"):
        conflict(tmp_path, as_of=date(2023, 1, 1))
