"""Command line: each command parses its options, calls one public function and prints the result."""

from __future__ import annotations

from forecast.cli.app import main

__all__ = ["main"]
