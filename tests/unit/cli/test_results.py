"""Tests for reports shown in a terminal."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from understudy.cli.results import show_scores


def check(outcome: str, sentence: str) -> dict[str, Any]:
    return {"outcome": outcome, "sentence": sentence}


def metric(title: str, topic: str, score: float | None, reason: str | None = None) -> dict[str, Any]:
    return {
        "title": title,
        "topic": topic,
        "summary": "The first sentence. A second one.",
        "best": 1.0,
        "synthetic": {"score": score, "reason": reason},
        "independent": {"score": 0.5},
        "leak": {"score": 0.25},
        "floor": {"score": 0.75},
    }


REPORT = {
    "verdict": {
        "outcome": "fail",
        "sentence": "These data fail [the policy].",
        "checks": [
            check("pass", "A passed check."),
            check("warn", "A warning."),
            check("fail", "A failed check."),
            check("unscored", "An unscored check."),
        ],
    },
    "metrics": [
        metric("Shapes", "fidelity", 0.9),
        metric("A title that is rather too long for one line of a terminal", "fidelity", 0.0001),
        metric("Gaps", "fidelity", None, "finds none"),
        metric("Copies", "privacy", -0.123),
    ],
}


def shown(width: int) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show_scores(console, REPORT)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_verdict_and_worst_checks_come_first() -> None:
    lines = [line.strip() for line in shown(80).splitlines()]
    assert lines[:3] == ["FAIL  These data fail [the policy].", "fail  A failed check.", "warn  A warning."]
    assert "A passed check." not in shown(80)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, shown(width).splitlines())) <= width


def test_scores_are_listed_under_their_topic() -> None:
    text = shown(80)
    parts = ("Fidelity", "Shapes", "Privacy", "Copies", "Not scored", "Gaps: ")
    positions = [text.index(part) for part in parts]
    assert positions == sorted(positions)
    line = next(line for line in text.splitlines() if "Shapes" in line)
    assert line.split() == ["Shapes", "0.900", "0.750", "0.500", "0.250", "1.000"]


def test_small_score_is_not_shown_as_zero() -> None:
    assert "0.0001" in shown(80)


def test_wide_terminal_shows_the_first_sentence_of_the_summary() -> None:
    assert "first sentence." not in shown(80)
    assert "The first sentence." in shown(140)
    assert "A second one" not in shown(140)
