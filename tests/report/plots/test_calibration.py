"""The calibration plot draws its table."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from forecast.report.plots.calibration import plot_calibration
from tests.report.plots.base import collisions


def table() -> xr.Dataset:
    given = np.array([0.05, 0.15, np.nan, 0.45, 0.95])
    seen = np.array([0.0, 0.2, np.nan, 0.5, 1.0])
    values = {
        "probability": given,
        "observed": seen,
        "low": np.clip(seen - 0.1, 0, 1),
        "high": np.clip(seen + 0.2, 0, 1),
        "number": np.array([4745, 1896, 0, 1092, 1336]),
    }
    return xr.Dataset({name: ("bin", value) for name, value in values.items()})


@pytest.mark.parametrize("width", [3.4, 5, 8])
def test_points_and_intervals_are_those_of_the_table(width):
    figure = plot_calibration(table(), width=width)
    (axes,) = figure.axes
    (drawn,) = axes.containers
    points, _, (bars,) = drawn
    some = table().isel(bin=[0, 1, 3, 4])
    np.testing.assert_allclose(points.get_xydata(), np.stack([some["probability"], some["observed"]], axis=1))
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends, np.stack([some["low"], some["high"]], axis=1), atol=1e-12)
    assert [text.get_text() for text in axes.texts] == ["4,745", "1,896", "1,092", "1,336"]
    assert collisions(figure) == []


def test_nothing_given_is_nothing_drawn():
    empty = table().isel(bin=[2])
    assert not plot_calibration(empty).axes[0].texts
