"""The words for the outcomes of checks."""

from __future__ import annotations

from understudy.evaluation.verdict import Outcome

WORDS: dict[Outcome, str] = {
    "pass": "Pass",
    "warn": "Warn",
    "fail": "Fail",
    "inconclusive": "Inconclusive",
    "unscored": "Not scored",
}
