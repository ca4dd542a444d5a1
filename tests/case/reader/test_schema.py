"""The JSON Schema of question.yaml is what the models say, and accepts what the reader accepts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import forecast
from forecast.case.errors import Faults
from forecast.case.folder import load_case, new_case
from forecast.case.probability_words import SCALES
from forecast.case.reader.schema import PERIODS
from forecast.case.reader.yaml_source import Node, load_yaml
from tests.case.base import QUESTION
from tests.case.changing import KINDS, changed
from tests.case.reader.test_dynamics import EACH, EVENT, SHARED
from tests.case.reader.test_reader_malformed import QUESTION_MISTAKES

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "forecast" / "case" / "template" / "question.schema.json"
SCHEMA = forecast.question_schema()

WITH_EVERYTHING = QUESTION.replace(
    "weight: 20\n",
    "weight: .inf\nperiod: day\nordered: true\nwords: phia\ncap: 20\nprior_weight: 7\nresolution: Signed.\n"
    "units: [Syria, no, 3]\nresolved: {scenario: truce, on: 2024-06-01}\nlearn: false\n"
    "grades: {B: 0.97, C: {p: 0.6, weight: 15}, 3: 0.6, ungraded: 0.9}\n",
).replace("agency: {reliability: B}", "agency: {title: 24, reliability: {grade: B, learn: false}}")

#: Mistakes of shape, which an editor can show.
SHAPE = (
    "unknown key", "unknown key inside", "decimal comma", "yes as bool", "unknown scale",
    "unknown period", "cap of one", "unknown kind", "values of a count", "list for a block", "no weight",
    "two forms", "half an interval", "number for a count", "measure without sd", "blind monitor",
    "no reliability", "unknown grade code", "probability above 1", "empty field",
)  # fmt: skip


def plain(node: Node) -> Any:
    """Return a tree of the file as an editor has it."""
    if isinstance(node.value, Mapping):
        return {key: plain(one) for key, one in node.value.items()}
    return [plain(one) for one in node.value] if isinstance(node.value, list) else node.value


def errors(text: str, schema: dict[str, Any] = SCHEMA) -> list[str]:
    """Return what the schema says against a text."""
    tree = load_yaml(text.encode(), Faults("question.yaml"))
    assert tree is not None
    return [error.message for error in Draft202012Validator(schema).iter_errors(plain(tree))]


def examples() -> Iterator[str]:
    """Yield the parts of question.yaml that the documents show."""
    for page in ("writing-a-case.md", "changing-scenarios.md", "which-kind.md"):
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL):
            if re.match(r"[a-z_]+:", block):
                yield block


def test_the_shipped_file_is_what_the_models_give():
    assert json.loads(SHIPPED.read_text(encoding="utf-8")) == SCHEMA, (
        "write it anew: json.dumps(forecast.question_schema(), indent=1)"
    )


def test_it_is_a_schema_of_the_draft_it_names():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize(
    "text",
    [
        QUESTION,
        WITH_EVERYTHING,
        *(changed(kind, added=True) for kind in KINDS),
        *(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("scenarios/*/question.yaml"))),
        *(path.read_text(encoding="utf-8") for path in sorted(SHIPPED.parent.glob("*/question.yaml"))),
        EVENT,
        EVENT.replace(SHARED, EACH) + "reporting: {since: 2024-01-01, lag: 9}\n",
    ],
)
def test_what_the_reader_reads_fits(text: str):
    assert errors(text) == []


@pytest.mark.parametrize("text", list(examples()))
def test_what_the_documents_show_fits(text: str):
    assert errors(text, {key: part for key, part in SCHEMA.items() if key != "required"}) == []


@pytest.mark.parametrize("name", SHAPE)
def test_a_mistake_of_shape_does_not_fit(name: str):
    mistake = QUESTION_MISTAKES[name]
    assert errors(QUESTION.replace(mistake.old, mistake.new))


def test_what_is_written_down_twice_is_the_same():
    assert SCHEMA["properties"]["words"]["enum"] == list(SCALES)
    assert SCHEMA["properties"]["period"]["enum"] == list(PERIODS)


def test_an_editor_can_say_of_every_key_what_it_is():
    blocks = [SCHEMA, *SCHEMA["$defs"].values()]
    silent = [
        key for block in blocks for key, part in block["properties"].items() if "description" not in part
    ]
    assert silent == []


def test_a_new_case_names_a_schema_that_is_there_and_fits(tmp_path: Path):
    folder = new_case(tmp_path / "mine")
    text = (folder / "question.yaml").read_text(encoding="utf-8")
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
    assert named
    assert errors(text, json.loads((folder / named[1]).read_text(encoding="utf-8"))) == []


def test_the_copy_in_a_case_is_for_editors_only(tmp_path: Path):
    folder = new_case(tmp_path / "mine")
    before = load_case(folder)
    (folder / "question.schema.json").write_text("stale", encoding="utf-8")
    assert load_case(folder) == before
    (folder / "question.schema.json").unlink()
    assert load_case(folder).digest == before.digest
