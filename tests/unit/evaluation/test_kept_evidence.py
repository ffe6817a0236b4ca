"""Tests that numbers in packs from earlier product versions are recomputed without fields added later.

The pack was signed by the code of commit 9e3888f: `understudy evaluate real.csv synthetic.csv --holdout
holdout.csv --target is_late --evidence evidence_9e3888f.zip --signing-key …`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from understudy.cli.application import run
from understudy.evaluation.evidence.recomputation import _as_stated, _differences

KEPT = Path(__file__).parent / "kept"


def recomputed(capsys: pytest.CaptureFixture[str], synthetic: Path) -> dict[str, object]:
    """Return the result of `verify` for the numbers in the kept pack."""
    files = ("--real", KEPT / "real.csv", "--synthetic", synthetic, "--holdout", KEPT / "holdout.csv")
    run(["verify", str(KEPT / "evidence_9e3888f.zip"), *map(str, files), "--json"])
    recomputed: dict[str, object] = json.loads(capsys.readouterr().out)["recomputed"]
    return recomputed


def test_recomputed_numbers_equal_those_in_a_pack_of_an_earlier_version(capsys) -> None:
    assert recomputed(capsys, KEPT / "synthetic.csv")["is_equal"]


def test_changed_data_is_detected_with_a_pack_of_an_earlier_version(capsys, tmp_path: Path) -> None:
    changed = tmp_path / "changed.csv"
    changed.write_text((KEPT / "synthetic.csv").read_text().replace("town 1", "town 2", 1))
    assert not recomputed(capsys, changed)["is_equal"]


def test_changed_score_is_detected_in_a_pack_of_an_earlier_version() -> None:
    signed = {"verdict": {"checks": [{"metric": "exact_copies", "value": 0.25}]}, "metrics": []}
    computed = {
        "verdict": {"checks": [{"metric": "exact_copies", "value": 0.5}, {"metric": "holdout", "value": 0}]},
        "metrics": [],
        "n_rows_shared": 0,
    }
    assert list(_differences("", signed, _as_stated(signed, computed))) == ["/verdict/checks/0/value"]
