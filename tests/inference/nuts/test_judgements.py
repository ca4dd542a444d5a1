"""The scale on which chances that claims are filed are sampled."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from pytensor.graph.rewriting.utils import rewrite_graph

from forecast.inference.nuts.judgements import AsinhLogit
from tests.inference.nuts.base import without_compiler

#: As samplers compile it: logarithms of what underflows are taken before it does.
STABLE = Mode(linker="py", optimizer="fast_run")


def test_the_whole_of_a_beta_is_seen():
    """Its density on the scale of z integrates to 1, also where x is too small for a float.

    Of a chance of .999 two in ten thousand are lost: what lies where 1 - x is less than exp(-700).
    """
    z, mean, transform = pt.dvector("z"), pt.dscalar("mean"), AsinhLogit()
    a, b = 12.0 * mean, 12.0 * (1.0 - mean)
    log_p = pm.logp(pm.Beta.dist(a, b), transform.backward(z, a, b)) + transform.log_jac_det(z, a, b)
    log_p = rewrite_graph(log_p, include=("canonicalize", "stabilize"))
    with without_compiler():
        function = pytensor.function([z, mean], [log_p, pytensor.grad(log_p.sum(), z)], mode=STABLE)
    at = np.linspace(-40.0, 40.0, 80_001)
    for chance, lost in ((1e-6, 0.0), (0.003, 0.0), (0.2, 0.0), (0.7, 0.0), (0.999, 2.4e-4)):
        value, slope = function(at, chance)
        p = np.exp(value)
        assert np.isfinite(value).all()
        assert np.trapezoid(p, at) == pytest.approx(1.0, abs=1e-6 + lost)
        middle = np.trapezoid(p * at, at)
        assert abs(middle) < 2.0  # about the centre, and not much wider or narrower, whatever the mean
        assert 0.4 < np.sqrt(np.trapezoid(p * (at - middle) ** 2, at)) < 3.0
        inside = (p > 1e-12) & ((at < 4.18) | (lost == 0.0))  # x of the last is cut off at 4.183
        steep = np.gradient(value[inside], at[inside])
        np.testing.assert_allclose(steep[1:-1], slope[inside][1:-1], rtol=1e-3, atol=1e-3)


def test_there_and_back():
    z, x = pt.dvector("z"), pt.dvector("x")
    transform, a, b = AsinhLogit(), pt.constant(0.4), pt.constant(5.0)
    back = transform.forward(transform.backward(z, a, b), a, b)
    there = transform.backward(transform.forward(x, a, b), a, b)
    with without_compiler():
        function = pytensor.function([z, x], [back, there], mode=STABLE)
    at, chance = np.linspace(-3.0, 3.0, 9), np.linspace(0.001, 0.999, 9)
    found = function(at, chance)
    np.testing.assert_allclose(found[0], at, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found[1], chance, rtol=1e-9)
