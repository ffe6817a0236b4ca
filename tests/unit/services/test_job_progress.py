"""Tests for overall job progress."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.test_job_kinds import PARAMETERS
from understudy.job_kinds import KINDS
from understudy.job_kinds.base import Phase
from understudy.services.job_progress import JobProgress
from understudy.synthesizers import make_synthesizer
from understudy.synthesizers.contexts import FitContext
from understudy.tables import inference
from understudy.tables.source import ArrowSource

TABLE = pa.table({"a": np.arange(300) % 7, "b": np.arange(300) % 11})

PHASES = (Phase("reading", 10), Phase("fitting", 80, is_steady=True), Phase("writing", 10))


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def updates(reports: list[tuple[float, str, float]]) -> list[dict[str, Any]]:
    """Return the progress after each report of (seconds, phase, fraction)."""
    clock = Clock()
    progress = JobProgress(PHASES, clock)
    shown = []
    for seconds, phase, fraction in reports:
        clock.seconds = seconds
        shown.append(progress.update({"phase": phase, "fraction": fraction}))
    return [update for update in shown if update is not None]


def test_there_is_no_progress_before_the_first_report() -> None:
    assert JobProgress(PHASES).update(None) is None


def test_no_remaining_time_is_estimated_at_the_very_start() -> None:
    assert updates([(0.1, "reading", 0.0)]) == [{"phase": "reading", "fraction": 0.0}]


def test_overall_progress_depends_on_the_weights_of_the_phases() -> None:
    (update,) = updates([(5.0, "fitting", 0.5)])
    assert (update["fraction"], update["eta_seconds"]) == (0.5, 5.0)


def test_estimate_in_a_steady_phase_ignores_the_time_before_the_phase() -> None:
    *_, last = updates([(10.0, "fitting", 0.1), (14.0, "fitting", 0.6)])
    # The progress rises from 18% to 58% in 4 s, so the remaining 42% take 4.2 s.
    assert (last["fraction"], last["eta_seconds"]) == (0.58, 4.2)


def test_estimate_grows_while_the_next_report_is_overdue() -> None:
    early, late = updates([(1.0, "reading", 1.0), (100.0, "reading", 1.0)])
    assert early["eta_seconds"] == 9.0
    # If the next report came now, 20% of the work would have taken 100 s, and the other 80% would take 400 s.
    assert (late["fraction"], late["eta_seconds"]) == (0.2, 400.0)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 100),
            st.sampled_from(["reading", "fitting", "writing", "unknown"]),
            st.floats(0, 1),
        )
    )
)
def test_progress_never_decreases_and_never_reaches_one(reports: list[tuple[float, str, float]]) -> None:
    shown = updates(sorted(reports, key=lambda report: report[0]))
    fractions = [update["fraction"] for update in shown]
    assert all(before <= after for before, after in pairwise(fractions))
    assert all(0 <= fraction < 1 for fraction in fractions)
    assert all(update.get("eta_seconds", 0) >= 0 for update in shown)


def test_kinds_without_phases_report_their_own_fraction() -> None:
    clock = Clock()
    progress = JobProgress((), clock)
    clock.seconds = 3.0
    update = progress.update({"phase": "waiting", "fraction": 0.3})
    assert update == {"phase": "waiting", "fraction": 0.3, "eta_seconds": 7.0}


def test_time_before_the_first_report_does_not_count_as_work() -> None:
    *_, update = updates([(2.0, "reading", 0.0), (5.0, "fitting", 0.5)])
    assert (update["fraction"], update["eta_seconds"]) == (0.5, 3.0)


TRAINED = [
    *({"name": "tree_chain", "preset": preset} for preset in ("fast", "balanced", "best", "guarded")),
    {"name": "tree_chain", "time_budget_seconds": 60},
    {"name": "independent"},
]


def phases_of(kind: str, **parameters: Any) -> tuple[Phase, ...]:
    own = KINDS[kind]
    return own.phases(own.parameters.model_validate({**PARAMETERS[kind], **parameters}))


def test_phases_have_distinct_names() -> None:
    names = {kind: [phase.name for phase in phases_of(kind)] for kind in KINDS}
    assert all(len(set(own)) == len(own) for own in names.values())
    assert {name for name, own in names.items() if own} == {"train", "sample", "impute", "evaluate"}


@pytest.mark.parametrize("synthesizer", TRAINED, ids=str)
def test_weights_of_the_phases_of_a_fit_add_up_to_100(synthesizer: dict[str, Any]) -> None:
    phases = phases_of("train", synthesizer=synthesizer)
    assert sum(phase.weight for phase in phases) == pytest.approx(100)
    assert [phases[0].name, phases[-1].name] == ["reading", "writing"]


@pytest.mark.parametrize("synthesizer", TRAINED, ids=str)
def test_fit_reports_only_declared_phases_in_order(synthesizer: dict[str, Any]) -> None:
    reported: list[str] = []

    def note(phase: str, fraction: float, **_: int | None) -> None:
        if phase not in reported:
            reported.append(phase)

    schema = inference.infer_schema({"t": ArrowSource(TABLE)}).schema
    parameters = KINDS["train"].parameters.model_validate({**PARAMETERS["train"], "synthesizer": synthesizer})
    make_synthesizer(parameters.synthesizer).fit(
        {"t": ArrowSource(TABLE)}, schema, context=FitContext(seed=1, progress=note)
    )
    phases = phases_of("train", synthesizer=synthesizer)
    assert reported == [phase.name for phase in phases if phase.name in reported]
    unreported = {phase.name for phase in phases if phase.weight} - set(reported)
    assert unreported <= {"reading", "writing", "refining", "checking"}
