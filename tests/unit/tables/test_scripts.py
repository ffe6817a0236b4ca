"""Tests that digits of other scripts and Japanese eras are detected, parsed and written back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from understudy.tables.notation import DateNotation, field_metadata, read_metadata
from understudy.tables.notation_scripts import ZEROS
from understudy.tables.notations import parse, write
from understudy.tables.notations.clues import Clues, Detected
from understudy.tables.notations.detection import detect

DAYS = [date(2019, 5, 1) + timedelta(days=17 * i) for i in range(120)]


def in_script(text: str, script: str) -> str:
    return text.translate({ord(str(i)): chr(ord(ZEROS[script]) + i) for i in range(10)})


def round_trip(texts: list[str], *words: str) -> tuple[Detected, list[Any]]:
    detected = detect(lambda: [pa.array(texts, pa.string())], Clues(words=words or ("x",)))
    assert detected is not None
    assert (detected.tally.n_odd, detected.question) == (0, None)
    notation = read_metadata(field_metadata(detected.notation))
    assert notation == detected.notation
    values = parse(pa.array(texts, pa.string()), detected.notation, detected.arrow_type)
    assert write(values, detected.notation).to_pylist() == texts
    return detected, values.to_pylist()


@pytest.mark.parametrize("script", list(ZEROS))
def test_numbers_and_dates_keep_the_digits_of_their_script(script: str) -> None:
    numbers = [f"{37 * i % 1000}.{i % 10}{7 * i % 10}" for i in range(1, 120)]
    assert round_trip([in_script(text, script) for text in numbers])[1] == [float(text) for text in numbers]
    assert round_trip([in_script(f"{day:%Y/%m/%d}", script) for day in DAYS])[1] == DAYS
    assert round_trip([in_script(str(i), script) for i in range(300)])[1] == list(range(300))


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("arabic", "{}\u066c{:03}\u066b{}"),
        ("persian", "{}\u066c{:03}\u066b{}"),
        ("fullwidth", "{}\uff0c{:03}\uff0e{}"),
    ],
)
def test_separators_of_a_script_are_kept(script: str, text: str) -> None:
    texts = [in_script(text.format(i, 7 * i % 1000, i % 9 + 1), script) for i in range(1, 60)]
    expected = [i * 1000 + 7 * i % 1000 + (i % 9 + 1) / 10 for i in range(1, 60)]
    assert round_trip(texts)[1] == pytest.approx(expected)


@pytest.mark.parametrize(
    "write_day",
    [
        lambda day: f"令和{day.year - 2018}年{day.month}月{day.day}日",
        lambda day: f"R{day.year - 2018}.{day.month}.{day.day}",
        lambda day: f"R{day.year - 2018:02}/{day.month:02}/{day.day:02}",
        lambda day: f"令和{'元' if day.year == 2019 else day.year - 2018}年{day.month}月{day.day}日",
        lambda day: in_script(f"令和{day.year - 2018}年{day.month}月{day.day}日", "fullwidth"),
    ],
)
def test_dates_keep_their_japanese_era(write_day: Callable[[date], str]) -> None:
    texts = [write_day(day) for day in DAYS]
    words = ("日付",) if texts[0][0] == "R" else ("x",)
    assert round_trip(texts, *words)[1] == DAYS


def test_dates_of_several_eras_are_written_in_the_era_of_each_day() -> None:
    days = [date(1988, 12, 1), date(1989, 1, 7), date(1989, 1, 8), date(2019, 4, 30), date(2019, 5, 1)]
    texts = ["S63.12.1", "S64.1.7", "H1.1.8", "H31.4.30", "R1.5.1"]
    assert round_trip(texts * 10, "birth", "date")[1] == days * 10


@pytest.mark.parametrize(
    "texts", [["R1.2", "H3.4"], ["M5-12", "T3-07"], ["T1.2.3", "T99.0.14"], ["R1.2.3"], ["R09-04-08"]]
)
def test_codes_with_the_letter_of_an_era_are_not_dates(texts: list[str]) -> None:
    detected = detect(lambda: [pa.array(texts * 20, pa.string())], Clues(words=("x",)))
    assert detected is None or detected.tally.n_odd or detected.question


def test_the_day_at_the_written_offset_determines_the_era() -> None:
    notation = DateNotation(pattern="%Y-%m-%d %H:%M %z", calendar="letter_padded", offset_minutes=540)
    values = pa.array([datetime(2023, 12, 31, 20, tzinfo=UTC), None], pa.timestamp("s", "UTC"))
    assert write(values, notation).to_pylist() == ["R06-01-01 05:00 +0900", None]


@pytest.mark.parametrize("pattern", ["%H:%M", "%d.%m.%Y"])
def test_calendar_requires_years_at_the_beginning(pattern: str) -> None:
    with pytest.raises(ValueError, match="must begin with %Y"):
        DateNotation(pattern=pattern, calendar="letter")


@pytest.mark.parametrize("text", ["{}.12345678901234567891K", "{}.1234567890123456789"])
def test_numbers_with_more_decimals_than_a_notation_allows_keep_their_notation(text: str) -> None:
    detected = detect(lambda: [pa.array([text.format(i) for i in range(60)])], Clues())
    assert detected is not None
    assert read_metadata(field_metadata(detected.notation)) == detected.notation


def test_digits_of_an_exponent_are_not_decimals() -> None:
    detected = detect(lambda: [pa.array(["1.5K", "2.25e3"] * 30)], Clues())
    assert detected is not None
    assert getattr(detected.notation, "scale_decimals", None) == (1, 2)
