"""What a machine can check of the house rules: who imports whom, how long a room is, what importing costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import forecast

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "forecast"
MODULES = sorted(PACKAGE.rglob("*.py"))

#: An import points downwards: cli -> report -> record, analysis -> inference -> model -> case.
LEVELS = {"cli": 5, "report": 4, "record": 3, "analysis": 3, "inference": 2, "model": 1, "case": 0}

LONGEST_MODULE, LONGEST_FUNCTION = 300, 70

#: Too heavy for those who only want `import forecast`, or `forecast --help`.
HEAVY = (
    "pymc",
    "arviz",
    "matplotlib",
    "plotly",
    "preliz",
    "rich",
    "typer",
    "pandas",
    "xarray",
    "numba",
    "scipy",
    "nutpie",
)

relative = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))


def part(module: str) -> str | None:
    """Return the sub-package that a module of ours belongs to."""
    names = module.split(".")
    return names[1] if names[0] == "forecast" and len(names) > 1 and names[1] in LEVELS else None


def imported(tree: ast.Module) -> list[tuple[int, str]]:
    """Return line and name of every module that is imported anywhere, functions included."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


@relative
def test_imports_point_downwards(path: Path):
    own = part(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if own is None:
        return  # forecast/__init__.py is the front of all parts
    wrong = [
        f"line {line}: {own} imports {name}"
        for line, name in imported(ast.parse(path.read_text(encoding="utf-8")))
        if (other := part(name)) and other != own and LEVELS[other] >= LEVELS[own]
    ]
    assert wrong == []


@relative
def test_a_module_is_not_longer_than_one_idea_needs(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE


@relative
def test_a_function_fits_a_screen(path: Path):
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


@pytest.mark.parametrize("statement", ["import forecast", "import forecast; forecast.load_case"])
def test_importing_is_cheap(statement: str):
    loaded = modules_after(statement)
    allowed = set() if statement == "import forecast" else {"scipy"}  # a judgement in words needs quantiles
    assert loaded & set(HEAVY) - allowed == set()


def test_the_command_line_starts_without_the_heavy_libraries():
    assert modules_after("import forecast.cli") & set(HEAVY) == {"typer"}


def modules_after(statement: str) -> set[str]:
    """Return the top-level modules that are loaded after a statement, in a fresh interpreter."""
    code = f"import sys; {statement}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(run.stdout.split())


@pytest.mark.parametrize("name", forecast.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name: str):
    value = getattr(forecast, name)
    assert value.__doc__
    assert name in dir(forecast)


def test_a_name_that_is_not_there_is_named():
    with pytest.raises(AttributeError, match="'forecast' has no attribute 'updaet'"):
        forecast.updaet  # noqa: B018


def test_the_public_names_are_listed_once():
    assert sorted(forecast.__all__) == sorted(forecast._HOME)


def test_the_version_is_the_project_s():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert forecast.__version__ == project["version"]


def test_the_package_is_typed():
    assert (PACKAGE / "py.typed").exists()
