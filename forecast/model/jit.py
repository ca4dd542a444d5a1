"""Numba compilation with an on-disk cache keyed by a digest of the compiled sources.

Numba compiles a function when it is first called and can keep the machine code on disk, but it notices a
change only in the function's own file, and it writes beside the source if it can. Here the folder of the
cache carries a digest of all sources with compiled code, so that no stale code is ever called, and it lies
in the user's cache, so that a read-only installation keeps it too.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numba

#: The folders of all compiled functions, and of the constants that are compiled into them.
_SOURCES = ("model", "inference/gibbs")


@cache
def cache_folder() -> Path:
    """Return the folder that keeps the compiled code of these very sources; it may not exist yet."""
    package = Path(__file__).parent.parent
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(path for folder in _SOURCES for path in (package / folder).glob("*.py")):
        digest.update(source.read_bytes())
    return _writable_base() / digest.hexdigest()[:16]


def cache_is_cold() -> bool:
    """Tell whether the next inference must compile first (about a minute)."""
    return not any(cache_folder().rglob("*.nbi"))


def _writable_base() -> Path:
    named = numba.config.CACHE_DIR or os.environ.get("XDG_CACHE_HOME")
    home = Path(named) if named else Path.home() / ".cache"
    temporary = Path(tempfile.gettempdir()) / f"scenario-forecast-{os.getuid()}"
    for base in (home / "scenario-forecast", temporary):
        try:
            base.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(base, os.W_OK):
            return base
    text = f"no folder to keep compiled code in: neither {home} nor the temporary folder can be written"
    raise OSError(text)


def inlined[F: Callable[..., object]](function: F) -> F:
    """Compile a function as :func:`kernel` does, its code laid into every caller."""
    return kernel(function, inline=True)


def kernel[F: Callable[..., object]](function: F, *, inline: bool = False) -> F:
    """Compile a function with numba (no global lock, IEEE division), keeping the code on disk."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(cache_folder())
    try:
        options = {"cache": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
        # Nobody calls from Python what is laid into its callers: unpacking its arguments is most of its code.
        inner = {"forceinline": inline, "_nrt": not inline, "no_cpython_wrapper": inline}
        compiled: F = numba.njit(**options, **inner)(function)
        return compiled
    finally:
        numba.config.CACHE_DIR = before
