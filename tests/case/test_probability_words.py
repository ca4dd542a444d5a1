"""Words of probability: the published bands, and every number has a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.case.probability_words import SCALES, band, scale_named, word_for


@pytest.mark.parametrize(
    ("scale", "p", "word"),
    [
        ("icd203", 0.0, "almost no chance"),
        ("icd203", 0.005, "almost no chance"),
        ("icd203", 0.05, "very unlikely"),  # shared boundaries: the band nearer even
        ("icd203", 0.20, "unlikely"),
        ("icd203", 0.45, "roughly even chance"),
        ("icd203", 0.55, "roughly even chance"),
        ("icd203", 0.80, "likely"),
        ("icd203", 0.95, "very likely"),
        ("icd203", 1.0, "almost certain"),
        ("icd203", 0.7 + 0.1, "likely"),  # rounding is no reason for another word
        ("phia", 0.07, "remote chance"),  # gaps: the nearest band
        ("phia", 0.08, "highly unlikely"),
        ("phia", 0.50, "realistic possibility"),
        ("phia", 0.78, "highly likely"),
        ("phia", 0.225, "unlikely"),  # the middle of a gap: the band nearer even
        ("nato", 0.10, "unlikely"),
        ("nato", 0.90, "likely"),
        ("nato", 0.91, "highly likely"),
        ("ipcc", 0.0, "exceptionally unlikely"),  # nested: the narrowest
        ("ipcc", 0.07, "very unlikely"),
        ("ipcc", 0.50, "about as likely as not"),
        ("ipcc", 0.70, "likely"),
        ("ipcc", 0.97, "extremely likely"),
        ("ipcc", 0.995, "virtually certain"),
        ("ipcc", 1.0, "virtually certain"),
        ("kent", 0.93, "almost certain"),
        ("kent", 0.9999, "almost certain"),  # certainty is for exactly 1
        ("kent", 1.0, "certain"),
        ("kent", 0.0, "impossible"),
        ("kent", 0.15, "almost certainly not"),
    ],
)
def test_the_word_for_a_number(scale: str, p: float, word: str):
    assert word_for(p, scale) == word


@pytest.mark.parametrize("scale", SCALES)
@given(p=st.floats(0, 1))
def test_every_probability_has_a_printed_word(scale: str, p: float):
    assert word_for(p, scale) in SCALES[scale].words


@pytest.mark.parametrize("scale", sorted(set(SCALES) - {"ipcc"}))
@given(p=st.floats(0, 1), q=st.floats(0, 1))
def test_words_are_in_the_order_of_the_numbers(scale: str, p: float, q: float):
    words = SCALES[scale].words
    low, high = sorted((p, q))
    assert words.index(word_for(low, scale)) <= words.index(word_for(high, scale))


@pytest.mark.parametrize("scale", sorted(set(SCALES) - {"ipcc"}))
def test_the_middle_of_a_band_has_its_word(scale: str):
    for b in SCALES[scale].bands:
        assert word_for((b.low + b.high) / 2, scale) == b.words[0]


@pytest.mark.parametrize(
    ("word", "scale", "expected"),
    [
        ("likely", "icd203", (0.55, 0.80)),
        ("Probably", "icd203", (0.55, 0.80)),
        ("nearly certain", "icd203", (0.95, 0.99)),
        ("  Roughly-even_odds ", "icd203", (0.45, 0.55)),
        ("remote", "icd203", (0.01, 0.05)),
        ("probable", "phia", (0.55, 0.75)),
        ("likely", "ipcc", (0.66, 1.0)),
        ("probable", "kent", (0.63, 0.87)),
    ],
)
def test_bands_understand_every_row(word: str, scale: str, expected: tuple[float, float]):
    assert band(word, scale) == pytest.approx(expected)


def test_the_default_scale_is_icd_203():
    assert word_for(0.6) == "likely"
    assert band("likely") == band("likely", "icd203")


def test_what_is_unknown_is_refused_with_what_there_is():
    with pytest.raises(ValueError, match="icd203, phia, nato, ipcc, kent"):
        scale_named("icd")
    with pytest.raises(ValueError, match="almost no chance"):
        band("perhaps", "icd203")
    for p in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="between 0 and 1"):
            word_for(p)


def test_scales_say_which_edition_they_are():
    assert all(any(c.isdigit() for c in scale.version) for scale in SCALES.values())
