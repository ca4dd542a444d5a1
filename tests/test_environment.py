"""environment.yml and pyproject.toml describe one environment; here they are held against each other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]

#: Where conda-forge's name differs from the package index's. An extra is a package of its own there.
CONDA_NAMES = {"matplotlib": "matplotlib-base", "playwright": "playwright-python"}
CONDA_EXTRAS = {"h5netcdf[h5py]": ["h5py"]}

REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?P<extras>\[[^]]*\])?(?P<bounds>.*)")


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def environment() -> dict:
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def as_conda(requirement: str) -> dict[str, str]:
    """Return name -> bounds of what conda must install for one requirement of pyproject.toml."""
    match = REQUIREMENT.fullmatch(requirement.replace(" ", ""))
    assert match, requirement
    name, extras = match["name"].lower(), match["extras"] or ""
    wanted = {CONDA_NAMES.get(name, name): match["bounds"]}
    if extras:
        wanted |= dict.fromkeys(CONDA_EXTRAS[name + extras], "")
    return wanted


def parse(dependencies: list) -> dict[str, str]:
    matches = [REQUIREMENT.fullmatch(line.replace(" ", "")) for line in dependencies if isinstance(line, str)]
    return {match["name"]: match["bounds"] for match in matches if match}


def test_both_files_name_the_same_packages_with_the_same_bounds(project, environment):
    requirements = [
        *project["project"]["dependencies"],
        *(line for extra in project["project"]["optional-dependencies"].values() for line in extra),
        *project["dependency-groups"]["dev"],
    ]
    wanted: dict[str, str] = {}
    for requirement in requirements:
        wanted |= as_conda(requirement)
    found = parse(environment["dependencies"])
    del found["python"], found["pip"]
    assert found == wanted


def test_both_ask_for_the_same_python(project, environment):
    pinned = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
    assert parse(environment["dependencies"])["python"] == f"={pinned}"
    assert project["project"]["requires-python"] == f">={pinned}"


def test_conda_installs_this_folder_and_nothing_else_by_pip(environment):
    pip = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert pip == [["-e ."]]
    assert environment["channels"] == ["conda-forge"]
    assert environment["name"] == "scenario-forecast"


def test_every_requirement_has_a_lower_bound(project):
    lines = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    assert [line for line in lines if ">=" not in line] == []


def test_no_lock_file_is_kept():
    assert "uv.lock" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()


def test_the_ci_runs_the_readme_s_test_command():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert "uv run pytest" in readme
    assert "uv run pytest" in ci
