"""Small tables in which the right result is known: each stands for a kind of table that people bring."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from understudy.cli.application import run

CASES = Path(__file__).parent
Rows = list[dict[str, str]]
# Draws rows from a model of the file with a name, with a seed.
Draw = Callable[..., Rows]


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """Return a function that fits the file of a case and samples rows on the command line."""

    def draw_rows(file: str, n_rows: int, *options: str, seed: int = 2) -> Rows:
        model, rows = tmp_path / f"{Path(file).stem}.model", tmp_path / "rows.csv"
        if not model.exists():
            assert run(["fit", str(CASES / file), "-o", str(model), "--seed", "1"]) == 0
        sample = ["sample", str(model), "-n", str(n_rows), "-o", str(rows), "--seed", str(seed), *options]
        assert run(sample) == 0
        with rows.open(newline="", encoding="utf-8") as lines:
            return list(csv.DictReader(lines))

    return draw_rows


def urls_of_few_values_stay_urls(draw: Draw) -> None:
    """Check that all present values are URLs, and that the share of missing values is kept."""
    for file in ("url.csv", "url_na.csv"):
        referrers = [row["referrer"] for row in draw(f"c11-url-of-few-values/{file}", 260)]
        present = [text for text in referrers if text not in ("", "N/A")]
        starts = tuple(f"https://example.{end}/" for end in ("com", "net", "org"))
        assert all(text.startswith(starts) for text in present)
        # About half of the values are missing. Four standard deviations of 260 draws are 0.13.
        assert abs(len(present) / len(referrers) - 0.5) < 0.15


def request_ids_in_a_column_called_addr_keep_their_pattern(draw: Draw) -> None:
    """Check that `addr` contains identifiers like `req-1a2b3c4d-5e6f` instead of streets."""
    for row in draw("c17-header-word-makes-an-address/log.csv", 50):
        prefix, first, second = row["addr"].split("-")
        assert (prefix, len(first), len(second)) == ("req", 8, 4)


@pytest.mark.parametrize(
    "check",
    [
        urls_of_few_values_stay_urls,
        request_ids_in_a_column_called_addr_keep_their_pattern,
    ],
)
def test_case(check: Callable[[Draw], None], draw: Draw) -> None:
    check(draw)
