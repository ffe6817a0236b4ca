"""Tests that model files of every format can be loaded and still sample the same rows.

`python -m tests.unit.synthesizers.test_stored_models` wrote the file of the latest format. Stored files are
never rewritten, and a new format gets a new file.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.one_table import fit, sample
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.files import load_model, save_model
from understudy.synthesizers.tree_chain.synthesizer import TreeChain
from understudy.tables.inference import infer_table

FOLDER = Path(__file__).parent / "stored_models"
# Digest of the sampled rows by format. The digests differ, because fitting has changed between formats.
DIGESTS = {
    2: "80c7f5d7731f8ac16e4034cb682523481ebfb69662e12e437fb83ad9e8aafcfc",
    3: "847b8f144e620ba471d69c8adb667a6bb46d379bab27d3c8a03b341b668d260b",
}


def made_table() -> pa.Table:
    """Return a table with several kinds of rules, missing values and an identifier."""
    rng = np.random.default_rng(2)
    n = 1200
    shop, net = rng.integers(0, 12, n), rng.integers(100, 9000, n) / 100
    return pa.table(
        {
            "order": [f"AB-{i:06}" for i in rng.permutation(10**6)[:n]],
            "shop": [f"shop {s}" for s in shop],
            "region": [f"region {s % 3}" for s in shop],
            "net": net,
            "tax": np.round(net * 0.2 + 1, 2),
            "items": pa.array(rng.integers(1, 60, n), mask=rng.random(n) < 0.1),
            "is_paid": rng.random(n) < 0.8,
            "day": pa.array(rng.integers(19000, 19400, n).astype("int32")).cast(pa.date32()),
            "weight": rng.normal(size=n),
        }
    )


def digest(path: Path) -> str:
    """Return a digest of some rows sampled from a file."""
    rows = sample(load_model(path).synthesizer, 300, seed=5, offset=40)
    # Floats are rounded to 7 digits, because the last digits can differ between processors.
    text = repr(
        [[f"{v:.7g}" if isinstance(v, float) else v for v in row.values()] for row in rows.to_pylist()]
    )
    return hashlib.sha256(text.encode()).hexdigest()


def stored_file(number: int) -> Path:
    """Return the file of a format. All files were fitted on the same table."""
    return FOLDER / f"format_{number}.model"


@pytest.mark.parametrize("number", DIGESTS)
def test_stored_model_still_samples_the_same_rows(number: int) -> None:
    assert digest(stored_file(number)) == DIGESTS[number]


@pytest.mark.parametrize("number", DIGESTS)
def test_card_and_rules_of_stored_file_are_loaded(number: int) -> None:
    model, manifest = load_model(stored_file(number))
    assert manifest.format_version == number
    assert manifest.schema_.tables["table"].names == made_table().column_names
    assert any("shop determines region" in rule for rule in model.card()["rules"])
    assert model.card()["preset"] == "best"


if __name__ == "__main__":
    table = made_table()
    schema = infer_table(table).schema
    chain = fit(TreeChain(TreeChainParameters(name="tree_chain", preset="best")), table, schema)
    save_model(chain, stored_file(max(DIGESTS)))
    print(stored_file(max(DIGESTS)).stat().st_size, digest(stored_file(max(DIGESTS))))  # noqa: T201
