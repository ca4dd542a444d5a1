"""Where compiled code is kept."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numba
import pytest

from forecast.model import jit


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    """A package of two sources in the place of ours, and a user's cache of its own."""
    home = tmp_path / "forecast"
    for name in ("model/jit.py", "inference/gibbs/sweep.py"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("x = 1\n")
    monkeypatch.setattr(jit, "__file__", str(home / "model" / "jit.py"))
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return home


def folder() -> Path:
    found: Path = jit.cache_folder.__wrapped__()
    return found


def test_no_stale_code_is_called(package, tmp_path):
    """The folder's name follows every source with compiled code, and nothing else."""
    before = folder()
    assert before.parent == tmp_path / "cache" / "scenario-forecast"
    (package / "model" / "notes.txt").write_text("not a source")
    assert folder() == before
    names = {before}
    for name in ("inference/gibbs/sweep.py", "model/jit.py"):
        (package / name).write_text("x = 2\n")
        names.add(folder())
    (package / "model" / "new.py").write_text("y = 1\n")
    names.add(folder())
    assert len(names) == 4


def test_numbas_own_setting_counts_first(package, tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "named"))
    assert folder().parent == tmp_path / "named" / "scenario-forecast"


def test_without_a_cache_of_the_users_the_temporary_folder_serves(package, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("no folder can be made in a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert folder().parent.parent == tmp_path
    assert folder().parent.name.startswith("scenario-forecast-")
    monkeypatch.setattr(tempfile, "tempdir", str(blocked))
    with pytest.raises(OSError, match="no folder to keep compiled code in"):
        folder()


def test_cold_and_warm(tmp_path, monkeypatch):
    monkeypatch.setattr(jit, "cache_folder", lambda: tmp_path / "absent")
    assert jit.cache_is_cold()
    (tmp_path / "absent" / "model").mkdir(parents=True)
    assert jit.cache_is_cold()
    (tmp_path / "absent" / "model" / "dynamics.expm-1.py312.nbi").touch()
    assert not jit.cache_is_cold()


def test_compiling_leaves_numbas_setting_alone():
    before = numba.config.CACHE_DIR

    @jit.kernel
    def twice(x: float) -> float:
        return 2 * x

    assert twice(3.0) == 6.0
    assert before == numba.config.CACHE_DIR
