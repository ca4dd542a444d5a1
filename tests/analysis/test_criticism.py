"""Conflict of a case on disk."""

from __future__ import annotations

from datetime import date

import pytest

from forecast.analysis.criticism import conflict
from forecast.case.errors import InputError
from forecast.case.folder import load_case
from tests.case.base import write


def test_a_folder_and_a_case_give_one_answer(tmp_path):
    write(tmp_path)
    case, on = load_case(tmp_path), date(2024, 2, 10)
    assert conflict(tmp_path, as_of=on).identical(conflict(case, as_of=on))
    assert conflict(case).identical(conflict(case, as_of=case.question.horizon))


def test_the_question_must_be_open(tmp_path):
    write(tmp_path)
    with pytest.raises(InputError, match="not open on this day"):
        conflict(tmp_path, as_of=date(2023, 1, 1))
