"""The display names of check outcomes."""

from __future__ import annotations

from understudy.evaluation.verdict import Outcome

WORDS: dict[Outcome, str] = {
    "pass": "Pass",
    "warn": "Warn",
    "fail": "Fail",
    "inconclusive": "Inconclusive",
    "unscored": "Not scored",
}
