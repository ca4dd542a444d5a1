"""The documents name everything that can be written and called, and what they show is true."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import typer

import forecast
from forecast.case.folder import load_case
from forecast.case.probability_words import SCALES
from forecast.case.question import CREDIBILITY
from forecast.case.reader.evidence import COLUMNS
from forecast.case.reader.indicators import RELIABILITY
from forecast.case.reader.schema import KINDS, PERIODS
from forecast.cli.app import app
from forecast.record.ledger import COLUMNS as LEDGER_COLUMNS
from forecast.report.json import document
from forecast.report.summary import summarise
from tests.made_up import made_up_case, made_up_tree

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CASE = ROOT / "scenarios" / "isis-jn-2014"
PAGES = (ROOT / "README.md", CASE / "README.md", *sorted(DOCS.glob("*.md")))


def text(*names: str) -> str:
    return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in names)


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text(page), re.DOTALL)


# --- what an analyst writes ---


def accepted_keys() -> set[str]:
    """Return every key that question.yaml may have, scenarios and other ids aside."""
    schema = forecast.question_schema()
    return {key for block in (schema, *schema["$defs"].values()) for key in block["properties"]}


@pytest.mark.parametrize("key", sorted(accepted_keys()))
def test_every_key_is_named(key: str):
    assert f"`{key}`" in text("docs/writing-a-case.md")


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_of_the_log_is_named(column: str):
    assert f"| `{column}` |" in text("docs/writing-a-case.md")


@pytest.mark.parametrize(
    "name", [*KINDS, *PERIODS, *SCALES, *RELIABILITY, *(code or "ungraded" for code in CREDIBILITY), "even"]
)
def test_every_name_that_can_be_chosen_is_named(name: str):
    assert f"`{name}`" in text("docs/writing-a-case.md")


def test_the_conventions_are_those_of_the_code():
    page = text("docs/writing-a-case.md")
    for letter, (mean, _) in RELIABILITY.items():
        assert re.search(rf"`{letter}`\s+{f'{mean:.2f}'[1:]}", page), letter
    for code, factor in CREDIBILITY.items():
        assert re.search(rf"`{code or 'ungraded'}`\s+{f'{factor:.1f}'.removeprefix('0')}", page), code


def test_the_examples_of_the_page_make_a_case(tmp_path: Path):
    head = 'title: "?"\nopened: 2014-08-24\nhorizon: 2015-03-31\n'
    examples = blocks("docs/writing-a-case.md", "yaml")
    (tmp_path / "question.yaml").write_text(head + "".join(examples))
    (log,) = blocks("docs/writing-a-case.md", "csv")
    (tmp_path / "evidence.csv").write_text(log)
    case = load_case(tmp_path)
    assert len(case.question.indicators) == 7
    assert [r.id for r in case.evidence.known(date(2014, 11, 14))] == ["r1", "r2"]
    assert [r.id for r in case.evidence.known(date(2014, 11, 20))] == ["r2"]


# --- what is called, and what comes out ---


def commands() -> dict[str, list[str]]:
    """Return every command with its long options."""
    group = typer.main.get_command(app)
    found = getattr(group, "commands")  # noqa: B009 - a click group, for which typer promises no type
    return {
        name: [max(p.opts, key=len) for p in command.params if p.opts[0].startswith("-")]
        for name, command in found.items()
    }


@pytest.mark.parametrize("command", commands())
def test_every_command_and_option_is_named(command: str):
    page = text("docs/commands.md")
    assert f"## forecast {command}\n" in page
    section = page.split(f"## forecast {command}\n")[1].split("\n## ")[0]
    for option in commands()[command]:
        assert f"`{option}" in section, option
    assert f"`forecast {command} " in text("README.md")


@pytest.mark.parametrize("column", LEDGER_COLUMNS)
def test_every_column_of_the_ledger_is_named(column: str):
    assert f"`{column}`" in text("docs/commands.md")


def test_every_key_of_the_json_document_is_shown():
    case = made_up_case()
    tree = made_up_tree(case)
    shown = text("docs/commands.md")

    def keys(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            yield from value
            for part in value.values():
                yield from keys(part)
        elif isinstance(value, list):
            for part in value:
                yield from keys(part)

    found = set(keys(document(summarise(case, tree), tree))) - {s.id for s in case.question.scenarios}
    assert found >= {"at_horizon", "mcse", "ever"}
    for key in found:
        assert f'"{key}"' in shown, key


# --- the pages themselves ---


def test_the_two_commands_of_the_readme():
    lines = "\n".join(blocks("README.md", "sh")).splitlines()
    assert "pip install uv && uv run forecast update scenarios/isis-jn-2014 --as-of 2014-11-23" in lines
    assert "uv run pytest" in lines


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_modules_that_are_named_exist(page: Path):
    for name in re.findall(r"`((?:forecast|tests)/[\w/]*(?:\.py)?)`", page.read_text(encoding="utf-8")):
        assert (ROOT / name).exists(), name


def test_every_page_can_be_reached_from_the_readme():
    for page in DOCS.glob("*.md"):
        assert f"](docs/{page.name})" in text("README.md")


@pytest.mark.slow
def test_the_example_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    (code,) = blocks("README.md", "python")
    assert len(code.splitlines()) <= 10
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "trend.png").read_bytes().startswith(b"\x89PNG")
    assert "operational" in capsys.readouterr().out


@pytest.mark.slow
def test_the_numbers_in_the_case_are_those_of_the_toolkit():
    page = (CASE / "README.md").read_text(encoding="utf-8").split("## What the toolkit says")[1]
    tree = forecast.update(CASE, as_of=date(2014, 11, 23))
    now, end = tree["trend"].to_dataset().isel(as_of=-1), tree["outlook"].to_dataset().isel(date=-1)
    for scenario in now["scenario"].values:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{scenario}` |"))
        ahead, _, ever, here = (cell.strip() for cell in row.strip("|").split("|")[1:])
        expected = {ahead: (end, ("probability", "low", "high")), ever: (end, ("ever",))}
        expected[here] = now, ("probability", "low", "high")
        for cell, (data, names) in expected.items():
            written = [float(number) for number in re.findall(r"\d+", cell)]
            found = [100 * float(data[name].sel(scenario=scenario)) for name in names]
            assert written == pytest.approx(found, abs=1.5), (scenario, cell)


def test_the_example_of_scenarios_that_change(tmp_path: Path):
    page = "docs/changing-scenarios.md"
    for name, language in (("question.yaml", "yaml"), ("evidence.csv", "csv")):
        (tmp_path / name).write_text(blocks(page, language)[0])
    trend = forecast.update(tmp_path, as_of=date(2024, 2, 11))["trend"].to_dataset()["probability"]
    rows = [line.strip("|").split("|") for line in text(page).splitlines() if line.startswith("| 2024-")]
    assert [row[0].strip() for row in rows] == trend["as_of"].dt.strftime("%Y-%m-%d").values.tolist()
    for row, found in zip(rows, 100 * trend.values, strict=True):
        written = [float(cell) if cell.strip() else math.nan for cell in row[1:]]
        assert written == pytest.approx(found.tolist(), abs=1.0, nan_ok=True)
