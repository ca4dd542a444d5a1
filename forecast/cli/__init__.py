"""The command line: it parses, calls the public function of the same name, and prints."""

from __future__ import annotations

from forecast.cli.app import main

__all__ = ["main"]
