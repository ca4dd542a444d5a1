"""The name of a row: words that may be cut, and words that may not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a row: the tail stays where the head must be cut."""

    head: str
    tail: str = ""

    def __str__(self) -> str:
        """Return the whole of it."""
        return f"{self.head} {self.tail}".strip()
