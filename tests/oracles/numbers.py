"""Counts and measures in 50-digit arithmetic: densities, noise, and the likelihood of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from mpmath import mp, mpf

from forecast.model.report_terms import ReportTerm

mp.dps = 50


def poisson(y: float, m: float) -> mpf:
    """Return the probability of a Poisson count."""
    if m == 0:
        return mpf(y == 0)
    return mp.exp(mpf(y) * mp.log(m) - mpf(m) - mp.loggamma(mpf(y) + 1))


def negative_binomial(y: float, m: float, k: float) -> mpf:
    """Return the probability of a negative binomial count with variance m + m^2 / k."""
    if m == 0:
        return mpf(y == 0)
    y, m, k = mpf(y), mpf(m), mpf(k)
    choose = mp.loggamma(y + k) - mp.loggamma(k) - mp.loggamma(y + 1)
    return mp.exp(choose + k * mp.log(k / (k + m)) + y * mp.log(m / (k + m)))


def normal(y: float, m: float, sd: float) -> mpf:
    """Return the density of a Normal."""
    z = (mpf(y) - mpf(m)) / mpf(sd)
    return mp.exp(-z * z / 2) / (mpf(sd) * mp.sqrt(2 * mp.pi))


def measure_noise(y: float, means: Sequence[float], sds: Sequence[float]) -> mpf:
    """Return the density of a stated measure as noise: Student's t with 3 degrees of freedom."""
    size = len(means)
    middle = mp.fsum(map(mpf, means)) / size
    variance = mp.fsum(mpf(sd) ** 2 + (mpf(m) - middle) ** 2 for m, sd in zip(means, sds, strict=True)) / size
    scale = 3 * mp.sqrt(variance)
    z = (mpf(y) - middle) / scale
    return 2 / (mp.pi * mp.sqrt(3) * scale * (1 + z * z / 3) ** 2)


def count_noise(y: float, means: Sequence[float]) -> mpf:
    """Return the probability of a stated count as noise."""
    edge = mp.ceil(100 * max(map(mpf, means))) + 1
    norm = mp.harmonic(edge) + edge * mp.zeta(2, edge + 1)
    return min(1 / (mpf(y) + 1), edge / (mpf(y) + 1) ** 2) / norm


def log_cell(
    terms: Sequence[ReportTerm], theta: Sequence[float], density: Sequence[dict[float, mpf]]
) -> list[mpf]:
    """Return log m(s) from f(v | s) of each stated value v, multiplied out."""
    out = []
    for f in density:
        none, total = mpf(1), mpf(0)
        for term in terms:
            none *= base(term, theta)
        for v in {term.value for term in terms}:
            some = mpf(1)
            for term in terms:
                some *= base(term, theta) + (truth(term, theta) if term.value == v else 0)
            total += f[v] * (some - none)
        out.append(mp.log(none + total))
    return out


def origins(terms: Sequence[ReportTerm], theta: Sequence[float], f: dict[float, mpf]) -> dict:
    """Return the probability of each (value, origin of each report); the value None is free.

    Origins: 0 true, 1 noise, 2 passed on, 3 passed on of an original that is withdrawn.
    """
    weights: dict = {}
    for origin in product(range(4), repeat=len(terms)):
        stated = {term.value for term, one in zip(terms, origin, strict=True) if one == 0}
        if len(stated) < 2:
            value = next(iter(stated), None)
            weight = f[value] if value is not None else mpf(1)
            for term, one in zip(terms, origin, strict=True):
                weight *= (truth(term, theta), untrue(term, theta), mpf(term.passed), lost(term))[one]
            weights[value, origin] = weight
    total = mp.fsum(weights.values())
    return {key: float(weight / total) for key, weight in weights.items()}


def truth(term: ReportTerm, theta: Sequence[float]) -> mpf:
    """Return the chance that a report tells what happened."""
    return mpf(term.own) * mpf(term.credibility) * mpf(theta[term.slot])


def untrue(term: ReportTerm, theta: Sequence[float]) -> mpf:
    """Return the chance that a report is noise of the source's own, and states what it does."""
    return mpf(term.own) * (1 - mpf(term.credibility) * mpf(theta[term.slot])) * mp.exp(term.log_noise)


def lost(term: ReportTerm) -> mpf:
    """Return the chance that a report passes on what is withdrawn."""
    return mpf(term.lost) * mp.exp(term.log_noise)


def base(term: ReportTerm, theta: Sequence[float]) -> mpf:
    """Return the part of the chance of a report that every value shares."""
    return mpf(term.passed) + lost(term) + untrue(term, theta)


def log_measure_with_errors(
    terms: Sequence[ReportTerm], theta: Sequence[float], mean: float, sd: float
) -> tuple[mpf, dict]:
    """Return log m of a measure, and the weight, mean and variance of x for each set of true reports.

    Without error a true report is a probability, with error a density: as the model has it.
    """
    weights: dict = {}
    for true in product((False, True), repeat=len(terms)):
        weight = mp.fprod(
            truth(term, theta) if one else base(term, theta) for term, one in zip(terms, true, strict=True)
        )
        stated = {t.value for t, one in zip(terms, true, strict=True) if one and not t.error}
        loose = [t for t, one in zip(terms, true, strict=True) if one and t.error]
        if len(stated) == 1:
            x = mpf(next(iter(stated)))
            weight *= normal(x, mean, sd) * mp.fprod(normal(t.value, x, t.error) for t in loose)
            weights[true] = weight, x, mpf(0)
        elif not stated:
            place = [(mpf(mean), mpf(sd) ** -2), *((mpf(t.value), mpf(t.error) ** -2) for t in loose)]
            precision = mp.fsum(p for _, p in place)
            x = mp.fsum(y * p for y, p in place) / precision
            squares = mp.fsum(p * (y - x) ** 2 for y, p in place)
            density = mp.exp(-squares / 2) * mp.sqrt(mp.fprod(p for _, p in place) / precision)
            weight *= density / mp.sqrt(2 * mp.pi) ** len(loose)
            weights[true] = weight, x, 1 / precision
    return mp.log(mp.fsum(w for w, _, _ in weights.values())), weights


def rounded(y: float, x: float, error: float) -> mpf:
    """Return the probability that a count of x is stated as y."""
    if not error:
        return mpf(y == x)
    low, high = (mp.log((mpf(y) + half) / (mpf(x) + 1)) / mpf(error) for half in (0.5, 1.5))
    if y == 0:
        return mp.ncdf(high)
    return mp.ncdf(high) - mp.ncdf(low) if high < 0 else mp.ncdf(-low) - mp.ncdf(-high)


def count_reports(terms: Sequence[ReportTerm], theta: Sequence[float], x: int) -> mpf:
    """Return the chance of all reports of a count of x."""
    chances = [truth(t, theta) * rounded(t.value, x, t.error) + base(t, theta) for t in terms]
    return mp.fprod(chances)


def count_with_errors(
    terms: Sequence[ReportTerm], theta: Sequence[float], f: Sequence[mpf]
) -> dict[tuple[int, tuple[bool, ...]], mpf]:
    """Return the joint probability of each x = 0, 1, ... and of which reports are true, given f(x)."""
    joint = {}
    for x, chance in enumerate(f):
        stated = [truth(term, theta) * rounded(term.value, x, term.error) for term in terms]
        for true in product((False, True), repeat=len(terms)):
            both = zip(terms, stated, true, strict=True)
            joint[x, true] = chance * mp.fprod(s if one else base(term, theta) for term, s, one in both)
    return joint
