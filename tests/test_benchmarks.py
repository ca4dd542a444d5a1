"""The benchmarks run, and their table says what holds. Times are not tested here: they are what it prints."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

import benchmarks.__main__ as program
from benchmarks import commands, engines, filters, plain, trend
from benchmarks.simulated import simulated
from benchmarks.table import Row, table
from forecast.case.judgement import Proportions
from forecast.model.hmm import empty_filtered, filter_log_likelihood, refresh
from forecast.model.problem import build_problem


@pytest.mark.filterwarnings("ignore")  # of what is in dynamax, where that is installed
def test_the_filters_agree_and_are_timed():
    rows = list(filters.rows(draws=8, weeks=5, scenarios=3, times=1))
    assert rows[0].name.startswith("filter, 8 draws x 5 weeks")
    assert rows[-1].ratio is not None


def test_filters_that_disagree_are_not_compared():
    prior, matrix, log_likelihood = filters.arrays(4, 3, 2)
    expected = filters.numpy_filter(prior, matrix, log_likelihood)
    with pytest.raises(AssertionError):
        filters.agree(filters.numpy_filter(prior[::-1], matrix, log_likelihood), expected)


def test_the_trend_is_timed_and_its_memory_measured(monkeypatch):
    monkeypatch.setattr(trend, "peak_memory", lambda *_: 0.25)
    rows = list(trend.rows(weeks=4, indicators=2, particles=(20, 40), times=1))
    assert [row.limit for row in rows] == [40, None, None, 1.0, None, None]
    assert rows[3].holds


def test_growth_is_a_slope():
    assert trend.slope([1, 2, 4], [3, 12, 48]) == pytest.approx(2)
    rows = list(trend.scaling_rows(weeks=4, indicators=2, particles=20, times=1))
    sizes = [row.against.split(" (sweeps")[0] for row in rows[::2]]
    assert sizes == ["indicators 1, 2, 4", "particles 20, 40, 80", "weeks 2, 4, 8"]


def test_a_longer_simulation_begins_like_a_shorter_one():
    short, long = simulated(4, 2)[1].reports, simulated(6, 3)[1].reports
    assert set(short) < set(long)
    assert len(long) == 18


def resampled(job, k, draws, seed, pool=40_000):
    """Draw theta given weeks 0 to k: draws of the prior, resampled by how well they foretold."""
    rng = np.random.default_rng(seed)
    logit = job.draw(rng, pool)
    log_weight = filters.numpy_filter(*plain.sequences(job, logit, slice(k + 1)))[1].sum(axis=1)
    weight = np.exp(log_weight - log_weight.max())
    return plain.theta(job, logit[rng.choice(pool, draws, p=weight / weight.sum())])


def test_the_engines_are_held_against_one_another(monkeypatch):
    # In place of NUTS, whose model would take minutes to compile. Of differences of about .003 (a scenario's
    # probability given theta has a standard deviation of .2 at most, 8,000 draws on both sides) the largest
    # of a dozen passes .015 with probability below 1e-4; the seeds are fixed.
    def compiled(task):
        question, job = task.layout.question, plain.plain(*simulated(3, 2))

        def sampler(as_of, *, draws, tune, chains, seed):
            theta = resampled(job, question.period(as_of), chains * draws, seed)
            return SimpleNamespace(theta=theta.reshape(chains, draws, -1))

        return sampler

    monkeypatch.setattr(engines, "compiled", compiled)
    monkeypatch.setattr(engines, "installed", lambda library: False)
    reference, quick, _, claim, error, short, *others = engines.rows(3, 2, (50, 2000), 3, (1, 500, 2000))
    assert reference.holds
    assert reference.name == "long NUTS at 2 dates, 4 chains of 2,000 draws"
    assert quick.against == "NUTS each week, 4 x (1 tune + 500 draws)"
    assert claim.limit == 1
    assert error.holds
    assert short.limit is None
    assert [row.against.split(":")[0] for row in others] == ["particles", "dynamax"]
    assert all("not installed" in row.against for row in others)


def test_the_reference_is_sampled_until_it_is_sure(monkeypatch):
    rng, nothing = np.random.default_rng(0), cast(Any, None)
    monkeypatch.setattr(engines, "refit", lambda *_, seed: rng.normal(size=(4, 100, 2)))
    monkeypatch.setattr(engines, "MCSE", 0.03)  # 1,111 independent draws
    assert len(engines.long_run(nothing, nothing, 0, 1, 100)) in (4 * 3, 4 * 4)
    monkeypatch.setattr(engines, "MCSE", 0.0)
    assert len(engines.long_run(nothing, nothing, 0, 1, 100)) == 4 * engines.RUNS


def test_weeks_that_are_not_measured_are_interpolated():
    assert engines.whole(np.array([0, 3]), [1.0, 4.0], 4) == pytest.approx(1 + 2 + 3 + 4)


def test_the_job_in_plain_arrays_is_the_engine_s():
    question, evidence = simulated(6, 3)
    task, job = build_problem(question, evidence, question.horizon), plain.plain(question, evidence)
    logit = job.draw(np.random.default_rng(0), 20)
    theta = plain.theta(job, logit)
    filtered = empty_filtered(20, 1, 6, task.layout.arrays)
    refresh(theta, task.steps[-1].sequence, task.cells, task.layout.arrays, filtered)
    alpha, norm = filter_log_likelihood(*plain.sequences(job, logit))
    np.testing.assert_allclose(alpha, filtered.alpha[:, 0], atol=1e-12)
    np.testing.assert_allclose(norm, filtered.log_norm[:, 0], atol=1e-12)
    # The density of logits is that of the proportions times all of them; a reliability's second is left out
    # of theta.
    r = theta[:, task.layout.starts["reliability s"]]
    density = sum(block.log_density(theta) for block in task.layout.blocks)
    jacobian = np.log(theta).sum(axis=1) + np.log1p(-r)
    np.testing.assert_allclose(job.log_prior(logit), density + jacobian, rtol=1e-9)


def test_draws_of_the_job_in_plain_arrays_are_of_the_prior():
    question, evidence = simulated(2, 2)
    job, layout = plain.plain(question, evidence), build_problem(question, evidence, question.horizon).layout
    theta = plain.theta(job, job.draw(np.random.default_rng(0), 10_000))
    for block in layout.blocks:
        assert isinstance(block.judgement, Proportions)
        mean, weight = block.mean, block.judgement.weight
        z = (theta[:, block.slots].mean(axis=0) - mean) / np.sqrt(mean * (1 - mean) / (weight + 1) / 10_000)
        assert np.abs(z).max() < 5  # 25 of them: 1e-5; the seed is fixed


@pytest.mark.filterwarnings("ignore")  # of what is in the libraries
@pytest.mark.parametrize(("library", "module"), [("particles", "ibis"), ("dynamax", "weighted")])
def test_other_libraries_do_the_same_job(library, module):
    pytest.importorskip(library)
    job = plain.plain(*simulated(4, 2))
    if module == "ibis":
        from benchmarks.ibis import ibis

        found = ibis(job, 4000, 20, 4, seed=0)
    else:
        from benchmarks.weighted import weighted

        found = weighted(job, 16_000, seed=0)
    ours = trend.trend(trend.run(*simulated(4, 2), 4000))
    assert np.abs(found - ours).max() < 0.02  # five standard errors or more


def test_what_importing_loads():
    assert commands.heavy_after(commands.IMPORT) == []
    assert commands.heavy_after("import matplotlib") == ["matplotlib"]


def test_the_table_and_the_exit_code(monkeypatch, capsys):
    fine, slow = Row("fine", "1 s", ratio=1.0, limit=1.0), Row("slow", "9 s", ratio=4.01, limit=4.0)
    neither = Row("not measured", "2 s", limit=1.0)
    assert [row.holds for row in (fine, slow, neither)] == [True, False, None]
    assert len({len(line) for line in table([fine, slow, neither]).splitlines()}) == 1
    monkeypatch.setattr(program, "PARTS", {"good": lambda: [fine, neither], "bad": lambda: [slow]})
    assert program.main(["good"]) == 0
    assert program.main([]) == 1
    assert "| NO " in capsys.readouterr().out
    with pytest.raises(SystemExit):
        program.main(["nothing"])
