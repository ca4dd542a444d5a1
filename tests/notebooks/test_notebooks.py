"""The notebooks run from top to bottom, were committed with their outputs, and say what they said then."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
BOOKS = sorted(FOLDER.glob("*.ipynb"))


def printed(book: nbformat.NotebookNode) -> list[str]:
    """Return what the cells print and show as text, but for what differs from run to run."""
    texts = [
        output["text"] if output["output_type"] == "stream" else output["data"].get("text/plain", "")
        for cell in book.cells
        for output in cell.get("outputs", ())
        if output.get("name") != "stderr"
    ]
    return [re.sub(r"0x[0-9a-f]+|/tmp/\S+|\s+", " ", text).strip() for text in texts]


def test_there_are_five():
    assert [book.name[:2] for book in BOOKS] == ["01", "02", "03", "04", "05"]


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.name)
def test_it_is_short_and_has_its_outputs(path):
    book = nbformat.read(path, as_version=4)
    codes = [cell for cell in book.cells if cell.cell_type == "code"]
    assert all(len(cell.source.splitlines()) <= 16 for cell in codes)
    assert sum(bool(cell.outputs) for cell in codes) > len(codes) / 2
    assert not [o for cell in codes for o in cell.outputs if o.output_type == "error"]
    assert path.stat().st_size < 1_500_000


@pytest.mark.slow
@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.name)
def test_it_runs_and_says_the_same(path, monkeypatch):
    """Numbers are printed in two or three digits, and every random number has a seed."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FOLDER.parent), os.environ.get("PYTHONPATH", "")]))
    committed = nbformat.read(path, as_version=4)
    run = nbformat.read(path, as_version=4)
    NotebookClient(
        run, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    ).execute()
    assert printed(run) == printed(committed)
