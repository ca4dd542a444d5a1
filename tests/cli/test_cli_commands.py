"""Every command: help with an example, a place in the documentation, exit codes, a clean standard output."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from forecast import __version__
from forecast.cli import main
from forecast.cli.app import app

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]
MOST_LINES = 25
DOCUMENTATION = "\n".join(
    path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a process of its own, as an analyst does."""
    command = [
        sys.executable,
        "-c",
        "import sys; from forecast.cli import main; sys.exit(main())",
        *arguments,
    ]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=120)


def test_the_commands_are_these():
    names = ["brief", "check", "collect", "explain", "new", "sensitivity", "trend", "update", "whatif"]
    assert names == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command, capsys):
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"Example: forecast {command} " in text
    options = re.findall(r"^  (--[a-z-]+)(.*)$", text, flags=re.MULTILINE)
    assert all(said.strip() for _, said in options)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command):
    assert f"forecast {command} " in DOCUMENTATION


def test_the_readme_s_commands_are_the_promised_ones():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\npip install uv && uv run forecast update scenarios/isis-jn-2014 --as-of 2014-11-23\n" in readme
    assert "\nuv run pytest\n" in readme


def test_links_in_the_readme_lead_somewhere():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", readme) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_without_a_command_the_help_is_shown(capsys):
    assert main([]) in (0, 2)
    assert "Commands:" in "".join(capsys.readouterr())


def test_the_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"forecast {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["updaet"],
        ["update"],
        ["update", "x", "--as-of", "tomorrow"],
        ["update", "x", "--as-of", "2014-02-30"],
        ["update", "x", "--draws", "0"],
        ["update", "x", "--chains", "none"],
        ["update", "x", "--tolerance", "-1"],
        ["update", "x", "--seed", "-1"],
        ["check", "--jsn", "x"],
        ["new"],
    ],
)
def test_a_wrong_call_is_the_caller_s_fault(arguments, capsys):
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Usage: forecast" in printed.err


def test_new_writes_a_case_that_passes_check(tmp_path, capsys):
    case = tmp_path / "somewhere" / "mine"
    assert main(["new", str(case)]) == 0
    assert f"forecast update {case}" in capsys.readouterr().out
    assert main(["check", str(case)]) == 0
    assert f"{case}: sound." in capsys.readouterr().out
    assert main(["new", str(case)]) == 2, "nothing is overwritten"


@pytest.mark.parametrize("kind", ["event", "static", "minimal"])
def test_check_says_how_the_log_of_a_new_case_of_any_kind_is_understood(kind, tmp_path, capsys):
    case = tmp_path / "mine"
    assert main(["new", str(case), "--kind", kind]) == 0
    capsys.readouterr()
    assert main(["check", str(case)]) == 0
    said = capsys.readouterr().out
    assert "  How the log is understood:\n  · Silence counts from the week after the first report on" in said
    assert main(["check", "--json", str(case)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["sound"], document["warnings"]) == (True, [])
    assert all(f"  · {sentence}\n" in said for sentence in document["log"])


def test_an_unknown_kind_of_question_is_the_caller_s_fault(tmp_path, capsys):
    assert main(["new", str(tmp_path / "mine"), "--kind", "evnt"]) == 2
    assert "'event', 'regime', 'static', 'minimal'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_check_as_json(tmp_path, capsys):
    main(["new", str(tmp_path / "mine")])
    capsys.readouterr()
    assert main(["check", "--json", str(tmp_path / "mine"), str(tmp_path / "none")]) == 2
    printed = capsys.readouterr()
    sound, missing = (json.loads(line) for line in printed.out.splitlines())
    assert (sound["case"], sound["sound"], sound["faults"]) == ("mine", True, [])
    assert (missing["case"], missing["sound"]) == ("none", False)
    assert set(missing["faults"][0]) == {"file", "line", "value", "problem", "allowed", "fix"}
    assert "no such case folder" in printed.err


def test_check_looks_at_the_ledger_too_and_names_all_faults_at_once(tmp_path, capsys):
    case = tmp_path / "mine"
    main(["new", str(case)])
    (case / "forecasts.csv").write_text("nonsense\n", encoding="utf-8")
    (case / "question.yaml").write_text("title: [\n", encoding="utf-8")
    assert main(["check", str(case)]) == 2
    said = capsys.readouterr().err
    assert "question.yaml" in said
    assert "forecasts.csv:1" in said


@pytest.mark.parametrize("command", ["check", "update"])
def test_a_process_whose_input_is_at_fault_exits_with_2_and_without_a_traceback(command, tmp_path):
    done = run(command, str(tmp_path / "none"))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "there is no such case folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_done_exits_with_0(tmp_path):
    done = run("new", str(tmp_path / "mine"))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("text", ["2014-13-01", "22.11.2014", "yesterday", "2014-11-22T08:00"])
def test_a_day_that_is_none_is_named_with_what_is_allowed(made_up, capsys, text):
    assert main(["update", str(made_up), "--as-of", text]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert f"'--as-of': not a day (found: {text}). Allowed: a day of the calendar as YYYY-MM-DD" in told
    assert "%" not in told


@pytest.mark.parametrize("name", ["weekly", "questions"])
def test_a_command_is_its_function_and_printing(name: str):
    """What is said below a command's parameters fits in 25 lines."""
    tree = ast.parse((ROOT / "forecast" / "cli" / f"{name}.py").read_text(encoding="utf-8"))
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in COMMANDS]
    assert found
    for command in found:
        last = command.end_lineno or 0
        assert last - command.body[0].lineno + 1 <= MOST_LINES, command.name
