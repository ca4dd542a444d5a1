"""Verbal probability scales, five published ones: the word for a number and the interval for a word.

The scales differ in kind, so the rules are stated once, for all of them:

* a probability inside one band takes that band's word;
* inside several (the bands of the IPCC are nested), the narrowest, which says most;
* on a boundary that two bands share, the one nearer even (0.5), which claims less;
* in a gap between bands (PHIA, Kent), the nearest band, and of two equally near the one nearer even;
* beyond all bands, and so at exactly 0 and 1, the outermost band;
* a band of a single point (Kent's "certain") is for exactly that probability and nothing near it.

>>> word_for(0.2, "icd203"), word_for(0.07, "phia"), word_for(0.97, "ipcc")
('unlikely', 'remote chance', 'extremely likely')
>>> band("Highly Probable", "icd203")
(0.8, 0.95)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

#: Boundaries are decimal fractions; this absorbs their binary rounding (0.1 + 0.1 + ...) and no more.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of probability and the words for it: the first is printed, all are understood."""

    low: float
    high: float
    words: tuple[str, ...]

    def distance(self, p: float) -> float:
        """Return how far `p` lies outside the band; 0 inside it."""
        return max(self.low - p, p - self.high, 0.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """A published scale of probability words: `version` names the edition whose bands these are."""

    id: str
    version: str
    bands: tuple[Band, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The words that are printed, from the least probable."""
        return tuple(band.words[0] for band in self.bands)


def _scale(id: str, version: str, *rows: tuple[float, float, str]) -> Scale:
    bands = tuple(Band(low / 100, high / 100, tuple(words.split(" / "))) for low, high, words in rows)
    return Scale(id, version, bands)


_ALL = (
    _scale(
        "icd203",
        "ICD 203, 2 January 2015",
        (1, 5, "almost no chance / remote"),
        (5, 20, "very unlikely / highly improbable / highly improbably"),
        (20, 45, "unlikely / improbable / improbably"),
        (45, 55, "roughly even chance / roughly even odds"),
        (55, 80, "likely / probable / probably"),
        (80, 95, "very likely / highly probable / highly probably"),
        (95, 99, "almost certain / nearly certain / almost certainly / nearly certainly"),
    ),
    _scale(
        "phia",
        "UK PHIA probability yardstick, 24 March 2025",
        (0, 5, "remote chance"),
        (10, 20, "highly unlikely"),
        (25, 35, "unlikely"),
        (40, 50, "realistic possibility"),
        (55, 75, "likely / probable / likely or probable"),
        (80, 90, "highly likely"),
        (95, 100, "almost certain"),
    ),
    _scale(
        "nato",
        "NATO AJP-2.1",
        (0, 10, "highly unlikely"),
        (10, 40, "unlikely"),
        (40, 60, "even chance"),
        (60, 90, "likely"),
        (90, 100, "highly likely"),
    ),
    _scale(
        "ipcc",
        "IPCC, Fifth Assessment Report, 2013",
        (0, 1, "exceptionally unlikely"),
        (0, 5, "extremely unlikely"),
        (0, 10, "very unlikely"),
        (0, 33, "unlikely"),
        (33, 66, "about as likely as not"),
        (50, 100, "more likely than not"),
        (66, 100, "likely"),
        (90, 100, "very likely"),
        (95, 100, "extremely likely"),
        (99, 100, "virtually certain"),
    ),
    _scale(
        "kent",
        "Kent, Words of Estimative Probability, 1964",
        (0, 0, "impossible"),
        (2, 12, "almost certainly not"),
        (20, 40, "probably not"),
        (40, 60, "chances about even"),
        (63, 87, "probable"),
        (87, 99, "almost certain"),
        (100, 100, "certain"),
    ),
)

#: The scales by name.
SCALES: Mapping[str, Scale] = MappingProxyType({scale.id: scale for scale in _ALL})


def scale_named(name: str) -> Scale:
    """Return a scale by its name.

    Raises ValueError if there is no such scale; the message lists those there are.
    """
    try:
        return SCALES[name]
    except KeyError:
        raise ValueError(f'no scale of words is called "{name}"; there are: {", ".join(SCALES)}') from None


def word_for(p: float, scale: str = "icd203") -> str:
    """Return the word that a scale has for a probability (its rules are those of the module).

    Raises ValueError if `p` is no probability, or there is no such scale.
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"a probability lies between 0 and 1, not at {p}")
    bands = [b for b in scale_named(scale).bands if b.low < b.high or p == b.low]

    def order(b: Band) -> tuple[float, ...]:
        edge = 0.0 < p < 1.0 and min(abs(p - b.low), abs(p - b.high)) <= ROUNDING
        return (
            round(b.distance(p) / ROUNDING),
            b.low < b.high,  # a single point, reached exactly
            round(b.distance(0.5) / ROUNDING) if edge or b.distance(p) > ROUNDING else 0.0,
            b.high - b.low,
        )

    return min(bands, key=order).words[0]


def words_between(low: float, high: float, scale: str = "icd203") -> str:
    """Return the words that a scale has for a band of uncertainty: one, or the first and the last.

    Raises ValueError if an end is no probability, the ends are the wrong way round, or there is no such
    scale.
    """
    if low > high:
        raise ValueError(f"a band runs from its lower end to its upper, not from {low} to {high}")
    first, last = word_for(low, scale), word_for(high, scale)
    return first if first == last else f"{first} to {last}"


def band(word: str, scale: str = "icd203") -> tuple[float, float]:
    """Return the band (low, high) of a word, whatever its case and its spaces, hyphens or underscores.

    Raises ValueError if the scale has no such word; the message lists those it has.
    """
    chosen = scale_named(scale)
    plain = " ".join(word.lower().replace("-", " ").replace("_", " ").split())
    for b in chosen.bands:
        if plain in b.words:
            return b.low, b.high
    raise ValueError(f'the scale {scale} has no word "{word}"; it has: {", ".join(chosen.words)}')
