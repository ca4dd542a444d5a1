"""Input errors: faults with place, problem, allowed values and fix, collected and raised together.

A :class:`Fault` is one thing wrong in one place. A reader does not stop at the first: it notes every fault
in a :class:`Faults` collector and goes on, and whoever called it raises them together as one
:class:`InputError`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

#: A longer value is cut in a message, so that the message stays readable.
LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input.

    ``file``: the file or folder, as the analyst named it. ``line``: from 1; 0 where it is not in one line.
    ``value``: the offending text, None where something is missing. ``problem``, ``allowed``, ``fix``: what is
    wrong, what would be right and what to do, each a sentence without its full stop.

    Examples
    --------
    >>> print(Fault("q.yaml", 3, "2", "prior is not a probability", "a number from 0 to 1", "correct it"))
    q.yaml:3: prior is not a probability (found: 2).
        Allowed: a number from 0 to 1. To do: correct it.
    """

    file: str
    line: int
    value: str | None
    problem: str
    allowed: str = ""
    fix: str = ""

    def __str__(self) -> str:
        """Return the fault in one or two lines."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        shown = "" if self.value is None else f" (found: {_shown(self.value)})"
        hints = []
        if self.allowed:
            hints.append(f"Allowed: {self.allowed}.")
        if self.fix:
            hints.append(f"To do: {self.fix}" + ("" if self.fix.endswith("?") else "."))
        return f"{place}: {self.problem}{shown}." + ("\n    " + " ".join(hints) if hints else "")


class InputError(Exception):
    """An input is at fault: with every fault, not only the first.

    Attributes
    ----------
    faults : tuple of Fault
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        """Return all faults, one under another."""
        return "\n".join(str(fault) for fault in self.faults)


@dataclass(slots=True)
class Faults:
    """The faults noted in one file so far."""

    file: str
    noted: list[Fault] = field(default_factory=list)

    def add(self, line: int, value: object, problem: str, *, allowed: str = "", fix: str = "") -> None:
        """Note a fault; `value` is shown as it stands in the file, None if something is missing."""
        fix = fix or ("write what is allowed" if allowed else "correct it")
        shown = None if value is None else str(value)
        fault = Fault(self.file, line, shown, problem, allowed, fix)
        if fault not in self.noted:
            self.noted.append(fault)

    def raise_if_any(self) -> None:
        """Raise the faults noted, in the order of the lines; do nothing if there are none."""
        if self.noted:
            raise InputError(self.in_order())

    def in_order(self) -> list[Fault]:
        """Return the faults in the order of the lines."""
        return sorted(self.noted, key=lambda fault: fault.line)


def listed(names: Iterable[str], *, most: int = 30) -> str:
    """Return names as a list to read: "a, b, c"; a long list is cut and says how many are left out."""
    names = list(names)
    if not names:
        return "none"
    left_out = len(names) - most
    return ", ".join(names[:most]) + (f" and {left_out} more" if left_out > 0 else "")


def meant(name: str, names: Iterable[str]) -> str:
    """Return 'did you mean "x"?' where one of `names` is close to `name`, else ""."""
    by_lower = {candidate.lower(): candidate for candidate in names}
    close = get_close_matches(name.lower()[:LONGEST_SHOWN], by_lower, n=1, cutoff=0.65)
    return f'did you mean "{by_lower[close[0]]}"?' if close else ""


def _shown(text: str) -> str:
    text = " ".join(text.split()) if text.strip() else "nothing"
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "..."
