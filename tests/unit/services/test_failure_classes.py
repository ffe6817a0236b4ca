from __future__ import annotations

import re
from pathlib import Path

import pytest

from understudy.errors import CODES
from understudy.sandbox import Outcome
from understudy.services.failure_classes import CLASSES, DEAD_LETTER_CODES, class_of
from understudy.services.failures import judge_outcome

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "reliability.md"
# Number of attempts of a job that always fails, by failure class, if there is no queue for large jobs.
N_ATTEMPTS = {"transient": 5, "crash": 3, "memory": 2, "bug": 2, "time": 1, "permanent": 1}


def test_failure_classes_contain_only_existing_error_codes() -> None:
    assert set(CLASSES) <= set(CODES)
    assert set(DEAD_LETTER_CODES) < set(CLASSES)


@pytest.mark.parametrize("code", sorted(CODES))
def test_number_of_attempts_depends_only_on_the_failure_class(code: str) -> None:
    failure = judge_outcome(Outcome(ok=False, error_code=code, error_detail="A sentence."))

    n_attempts = 1 if failure.allowance is None else failure.allowance.failures_max
    assert n_attempts == N_ATTEMPTS[class_of(code)]


def test_documentation_lists_the_class_of_each_code() -> None:
    section = PAGE.read_text().partition("### Classes of failures")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| (`.*?`) \|", section, re.MULTILINE)
    documented = {code: name for name, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    assert documented == CLASSES
