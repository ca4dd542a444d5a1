"""What a machine can check of the house rules: who imports whom, how long a module is, what imports cost."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest

import forecast

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "forecast"
FILES = sorted(PACKAGE.rglob("*.py"))

#: A part may import from those to its right; analysis, record and imports do not know each other.
ORDER = ("cli", "run", "report", "analysis", "record", "imports", "inference", "model", "case")
SIDE_BY_SIDE = {"analysis", "record", "imports"}

#: Event questions, persistence summed out, reporting and noise made it larger; beyond this it may not grow.
MOST_FILES, MOST_LINES, LONGEST_MODULE, LONGEST_FUNCTION = 155, 28_500, 500, 60

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
    "pydantic",
    "xarray",
    "numba",
    "scipy",
    "nutpie",
)


def name_of(path: Path) -> str:
    """Return the dotted name of a module of ours."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path, modules: frozenset[str]) -> set[str]:
    """Return our modules that a file imports anywhere: at its top, inside functions, or for types only."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inside & modules or {node.module}
    return found & modules


GRAPH = {
    name_of(path): imports(path, frozenset(name_of(one) for one in FILES)) - {name_of(path)} for path in FILES
}


def part(module: str) -> str:
    """Return the part of the toolkit that a module belongs to; "" for the front and the version."""
    names = module.split(".")
    return names[1] if len(names) > 1 and names[1] in ORDER else ""


def test_imports_point_downwards():
    wrong = [
        f"{module} imports {other}"
        for module, others in GRAPH.items()
        for other in others
        if part(module)
        and part(other)
        and part(module) != part(other)
        and (
            ORDER.index(part(other)) < ORDER.index(part(module))
            or {part(module), part(other)} <= SIDE_BY_SIDE
        )
    ]
    assert wrong == []


def test_nobody_imports_the_front():
    assert [module for module, others in GRAPH.items() if "forecast" in others] == []


def test_no_file_imports_itself_by_way_of_others():
    try:
        TopologicalSorter(GRAPH).prepare()
    except CycleError as error:
        pytest.fail("a circle: " + " -> ".join(reversed(error.args[1])))


def test_a_circle_would_be_found():
    """The sorter is given the graph the right way round, and a circle through a function's import counts."""
    assert "forecast.case.question" in GRAPH["forecast.case.in_force"]
    chain = {name: {other} for name, other in pairwise(["a", "b", "c", "a"])}
    with pytest.raises(CycleError):
        TopologicalSorter(chain).prepare()


def test_the_package_stays_small():
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in FILES)
    assert len(FILES) <= MOST_FILES
    assert lines <= MOST_LINES


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_module_is_one_idea_and_a_function_fits_a_screen(path: Path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_MODULE
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


#: Words of a private vocabulary that once grew beside the field's: they may not come back into names,
#: the second kind not as a whole name ("one_step_ahead" is a term).
COINED = frozenset({"blank", "blanks", "foretold", "heard", "story", "untold", "voice", "voices", "watch"})
COINED_ALONE = frozenset({"ahead", "cuts", "found", "ground", "standing", "sure", "taken", "told"})


def names_in(path: Path) -> list[tuple[str, int]]:
    """Return every name that a file makes, with its line: of functions, classes, arguments, variables."""
    names = [(path.stem, 0)]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append((node.name, node.lineno))
        elif isinstance(node, ast.arg):
            names.append((node.arg, node.lineno))
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.append((node.id if isinstance(node, ast.Name) else node.attr, node.lineno))
    return names


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_names_are_the_fields(path: Path):
    coined = [
        f"line {line}: {name}"
        for name, line in names_in(path)
        if name.strip("_") in COINED_ALONE
        or COINED & set(re.sub(r"([A-Z])", r"_\1", name).lower().split("_"))
    ]
    assert coined == []


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("test_*.py")), ids=lambda path: path.stem)
def test_a_test_is_called_after_its_module_or_folder(path: Path):
    folder = PACKAGE.joinpath(*path.relative_to(ROOT / "tests").parts[:-1])
    if folder == PACKAGE or not folder.is_dir():
        return  # tests of the whole, and tests that are no unit's: calibration, oracles, notebooks
    known = {one.stem for one in folder.iterdir()} | {folder.name}
    assert any(path.stem == f"test_{name}" or path.stem.startswith(f"test_{name}_") for name in known)


@pytest.mark.parametrize("statement", ["import forecast", "import forecast; forecast.load_case"])
def test_importing_is_cheap(statement: str):
    loaded = modules_after(statement)
    allowed = set() if statement == "import forecast" else {"scipy"}  # a judgement in words needs quantiles
    assert loaded & set(HEAVY) - allowed == set()


def test_the_command_line_starts_without_the_heavy_libraries():
    assert modules_after("import forecast.cli") & set(HEAVY) == {"typer"}


def test_thresholds_and_sentences_load_no_engine():
    """A second run within the week infers nothing: what it prints must not load what infers."""
    assert modules_after("import forecast.report.text.forecast") & set(HEAVY) == set()


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
    with pytest.raises(AttributeError, match=r"No forecast attribute updaet"):
        forecast.updaet  # type: ignore[attr-defined]  # noqa: B018


def test_the_public_names_are_listed_once():
    assert len(forecast.__all__) == len(set(forecast.__all__))


def test_the_version_is_the_project_s():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert forecast.__version__ == project["version"]


def test_the_package_is_typed():
    assert (PACKAGE / "py.typed").exists()


# --- the map ---

MAP = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_map_draws_who_may_import_whom():
    picture = re.search(r"graph LR\n(.*?)```", MAP, re.DOTALL)
    assert picture
    arrows = {pair for line in picture[1].splitlines() for pair in pairwise(line.split(" --> "))}
    drawn = {one.strip(): {b.strip() for a, b in arrows if a.strip() == one.strip()} for one, _ in arrows}
    order = list(TopologicalSorter(drawn).static_order())
    parts = {part(module) for module in GRAPH} - {""}
    assert set(order) == parts
    for module, others in GRAPH.items():
        for other in others:
            if part(module) and part(other) and part(module) != part(other):
                assert part(other) in reachable(part(module), drawn), f"{module} imports {other}"


def reachable(start: str, arrows: dict[str, set[str]]) -> set[str]:
    """Return what can be reached from a part along the arrows."""
    after = arrows.get(start, set())
    return after.union(*(reachable(one, arrows) for one in after))


def test_the_map_lists_every_module_in_its_folder():
    rows = re.findall(r"^\| `(forecast/[\w/.]+)` \| [^|]+ \| ([^|]*) \|$", MAP, re.MULTILINE)
    listed = {(folder, name) for folder, text in rows for name in re.findall(r"`(\w+)`", text)}
    folders = {folder for folder, _ in rows if not folder.endswith(".py")}
    modules = {
        (str(path.parent.relative_to(ROOT)), path.stem)
        for path in FILES
        if path.stem != "__init__" and path.parent != PACKAGE
    }
    assert listed == modules
    assert folders == {folder for folder, _ in modules}


def test_every_name_on_the_map_exists():
    parts = "|".join({path.stem for path in PACKAGE.iterdir() if not path.stem.startswith("_")})
    names = set(re.findall(rf"`((?:{parts})(?:\.\w+)+)`", MAP))
    assert len(names) > 40
    for name in names:
        assert resolves(f"forecast.{name}"), name


def resolves(name: str) -> bool:
    """Tell whether a dotted name is a module, or something in one."""
    where, rest = name, ""
    while where not in GRAPH:
        where, _, last = where.rpartition(".")
        rest = f"{last}.{rest}" if rest else last
        if not where:
            return False
    thing: object = import_module(where)
    for attribute in filter(None, rest.split(".")):
        if not hasattr(thing, attribute):
            return False
        thing = getattr(thing, attribute)
    return where != "forecast"


PAGES = sorted((ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_named_in_the_documents_exist(page: Path):
    text = page.read_text(encoding="utf-8")
    missing = [
        name
        for name in re.findall(r"`((?:forecast|tests|benchmarks)/[\w/.]+)`", text)
        if not (ROOT / name).exists()
    ]
    assert missing == []


def test_the_formulas_of_the_model_name_functions_that_exist():
    """docs/model.md writes a formula's function as `name` in `path`."""
    text = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w.]+)`\s+in\s+`forecast/([\w/]+)\.py`", text)
    assert len(named) >= 15
    for name, path in named:
        assert resolves(f"forecast.{path.replace('/', '.')}.{name}"), f"{name} in {path}"
