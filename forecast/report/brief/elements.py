"""Page elements of the brief: sections of paragraphs, lists, tables and figures, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from unicodedata import category
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from forecast.report.brief.trend_svg import Chart
    from forecast.report.styles import ScenarioStyle

SCHEMES = ("http", "https")  #: What becomes a link. Anything else, a script above all, stays text.


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table: a text, perhaps with a smaller one under it, a link, a line's style, or a band."""

    text: str
    small: str = ""
    href: str = ""
    style: ScenarioStyle | None = None
    band: tuple[float, float, float] | None = None
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its first column names the rows, ``left`` are the other columns that are set to the left.

    On paper only the first ``on_paper`` rows are shown, 0 being all, and ``half`` a table takes half the
    width. ``rest`` rows are not shown at all. The last row of a ``total`` sums the others up.
    """

    kind: ClassVar[str] = "table"
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    left: Sequence[int] = ()
    on_paper: int = 0
    rest: int = 0
    total: bool = False
    half: bool = False

    @property
    def even(self) -> int:
        """The number of columns of short numbers, if a narrow page has room for all of them; else 0."""
        columns = len(self.head) - 1
        return columns if columns <= 5 and not self.left else 0


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; ``tone`` is "lead", "", "quiet", or "screen" for what is not printed."""

    kind: ClassVar[str] = "text"
    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list of lines, some with a few words in bold before them. ``on_paper`` and ``rest`` as in a table."""

    kind: ClassVar[str] = "items"
    lines: Sequence[tuple[str, str]]
    on_paper: int = 0
    rest: int = 0


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a section: the unit that is spoken of."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True, slots=True)
class Figure:
    """The trend as a picture, drawn for a wide and for a narrow page, and as a table."""

    kind: ClassVar[str] = "figure"
    name: str
    label: str
    wide: Chart
    narrow: Chart
    table: Table
    data: object


Block = Table | Text | Items | Heading | Figure


@dataclass(frozen=True, slots=True)
class Section:
    """A headed part of the page; ``id`` is its anchor."""

    id: str
    title: str
    blocks: Sequence[Block]


def safe_link(text: str) -> str:
    """Return a citation as the address of a link, "" if it is none that may be followed.

    >>> safe_link("https://example.org/a b"), safe_link("javascript:alert(1)"), safe_link("Herbert, para 3")
    ('', '', '')
    >>> safe_link(" HTTPS://example.org/a?b=1 ")
    'HTTPS://example.org/a?b=1'
    """
    address = text.strip()
    if any(character.isspace() or category(character) in ("Cc", "Cf") for character in address):
        return ""  # nothing that hides, or turns the reading round
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    named = parts.netloc and "@" not in parts.netloc  # who@where is read as where it is not
    return address if parts.scheme.lower() in SCHEMES and named else ""


def clipped(text: str, most: int) -> str:
    """Return a text of so many characters at most, cut between words.

    >>> clipped("one two three", 9)
    'one two …'
    """
    plain = " ".join(text.split())
    if len(plain) <= most:
        return plain
    return plain[: most - 1].rsplit(" ", 1)[0] + " …"


def row(*cells: str | Cell) -> tuple[Cell, ...]:
    """Return a row of a table; a text becomes a cell.

    >>> row("a", Cell("b", strong=True))[0].text
    'a'
    """
    return tuple(Cell(cell) if isinstance(cell, str) else cell for cell in cells)
