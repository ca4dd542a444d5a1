"""What-ifs against brute force, and against the case with the same thing written into its files."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from forecast.analysis.whatif import whatif
from forecast.case.edit import altered
from forecast.case.errors import InputError
from forecast.case.evidence import Evidence, Report
from forecast.case.folder import Case, load_case, new_case
from forecast.inference.engine import update
from tests.cases import day, small
from tests.oracles import enumerate_posterior, mean_theta


def as_case(name: str, exact: bool = True) -> tuple[Case, date]:
    one = small(name, exact)
    return Case("case", Path("nowhere"), one.question, one.evidence, "digest"), one.as_of


@pytest.mark.parametrize("name", ["agreeing_and_clashing", "moving", "of_units"])
def test_both_columns_are_what_brute_force_says(name):
    case, as_of = as_case(name)
    first, *rest = case.evidence.reports
    new = Report("new", first.date, as_of, first.indicator, first.value, "z", unit=first.unit)
    sources = {s.id for s in case.question.sources}
    add = [new] if "z" in sources and not any(r.source == "z" for r in case.evidence.reports) else []
    data = whatif(case, as_of=as_of, drop=[first.id], add=add, draws=2, chains=1)
    theta = mean_theta(case.question, case.evidence)
    before = enumerate_posterior(case.question, case.evidence, as_of, theta)
    after = enumerate_posterior(case.question, Evidence((*rest, *add)), as_of, theta)
    assert data["variant"].values.tolist() == ["as it is", "what if"]
    for target in ("now", "horizon", "ever"):
        np.testing.assert_allclose(data[target].sel(variant="as it is"), before[target], atol=1e-10)
        np.testing.assert_allclose(data[target].sel(variant="what if"), after[target], atol=1e-10)
        np.testing.assert_allclose(data[f"{target}_difference"], after[target] - before[target], atol=1e-10)
    assert abs(data["now_difference"]).max() > 1e-3


def test_the_same_written_into_the_files_gives_the_same_numbers(tmp_path):
    """Bit for bit: the same seed, a changed judgement and one more report."""
    mine = new_case(tmp_path / "mine")
    yours = Path(shutil.copytree(mine, tmp_path / "yours"))
    case = load_case(mine)
    indicator, one = case.question.indicators[0], case.question.sources[0]
    as_of = case.question.last_day(case.question.period(max(r.reported for r in case.evidence.reports)) + 1)
    row = {"date": as_of, "indicator": indicator.id, "value": indicator.values[-1], "source": one.id}
    before = {path: path.read_bytes() for path in sorted(mine.rglob("*"))}
    data = whatif(mine, as_of=as_of, add=[row], set={"prior": "even"}, draws=200, chains=2, tolerance=0.1)
    assert {path: path.read_bytes() for path in sorted(mine.rglob("*"))} == before  # nothing is written
    text = (yours / "question.yaml").read_text(encoding="utf-8")
    (yours / "question.yaml").write_text(_even(text), encoding="utf-8")
    header = (yours / "evidence.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    cells = {name: str(value) for name, value in row.items()} | {"id": "imagined-1"}
    with (yours / "evidence.csv").open("a", encoding="utf-8") as file:
        file.write(",".join(cells.get(name, "") for name in header) + "\n")
    tree = update(yours, as_of=as_of, draws=200, chains=2, tolerance=0.1)
    np.testing.assert_array_equal(
        data["now"].sel(variant="what if"), tree["trend"]["probability"].isel(as_of=-1)
    )
    np.testing.assert_array_equal(data["ever"].sel(variant="what if"), tree["outlook"]["ever"])
    assert json.loads(data.attrs["changes"])[1] == "prior: even"
    assert (data.attrs["case"], data.attrs["digest"], data.attrs["seed"]) == ("mine", case.digest, 0)


def _even(text: str) -> str:
    import re

    return re.sub(r",?\s*prior: [\d.]+", "", text.replace("scenarios:", "prior: even\nscenarios:", 1))


def test_the_error_of_the_difference_takes_both():
    case, as_of = as_case("moving", False)
    data = whatif(case, as_of=as_of, drop=[case.evidence.reports[0].id], draws=300, chains=2)
    mcse = data["now_mcse"]
    np.testing.assert_allclose(data["now_difference_mcse"], np.sqrt((mcse**2).sum("variant")))


def test_faults_are_named():
    case, as_of = as_case("moving")
    first = case.evidence.reports[0]
    with pytest.raises(InputError, match="nothing is changed"):
        altered(case)
    with pytest.raises(InputError, match="load the case from its folder"):
        altered(case, set={"cap": 3})
    late = {"date": day(2), "reported": case.question.horizon, "indicator": first.indicator,
            "value": first.value, "source": first.source}  # fmt: skip
    with pytest.raises(InputError, match="after the as-of date"):
        whatif(case, as_of=as_of, add=[late], draws=2)
    graded = altered(case, set={f"credibility {first.id}": "3"})  # needs no file
    assert graded.evidence.reports[0].credibility == "3"


def test_what_is_not_known_yet_cannot_be_left_out():
    case, _ = as_case("late_and_corrected")
    late = next(r for r in case.evidence.reports if r.reported > r.date)
    with pytest.raises(InputError, match="would change nothing"):
        whatif(case, as_of=late.date, drop=[late.id], draws=2, chains=1)


def test_one_name_alone_is_a_list_of_one():
    case, as_of = as_case("yes_no")
    first = case.evidence.reports[0].id
    one, many = (whatif(case, as_of=as_of, drop=d, draws=2, chains=1) for d in (first, [first]))
    assert one.identical(many)
