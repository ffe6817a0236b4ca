"""Tests that the data files of word lists are well formed and that all files are used."""

from __future__ import annotations

from pathlib import Path

import pytest

import understudy
from understudy.tables.inference import headers, key_headers, messages
from understudy.tables.word_lists import WordList

ROOT = Path(understudy.__file__).parent
FILES = sorted(ROOT.rglob("*.txt"))
PHRASE_FILES = sorted((ROOT / "tables/inference/words").glob("*.txt"))


def test_comments_and_empty_lines_are_not_entries(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# a comment\nfirst name\n\nété\n", encoding="utf-8")
    assert list(WordList(path)) == ["first name", "été"]


def test_a_list_is_read_once_on_first_use(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    words = WordList(path)
    path.write_text("one\n")
    assert "one" in words
    path.write_text("two\n")
    assert list(words) == ["one"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_list_has_a_heading_and_unique_sorted_entries(path: Path) -> None:
    entries = list(WordList(path))
    assert path.read_text(encoding="utf-8").startswith("# ")
    assert entries == sorted(set(entries))


@pytest.mark.parametrize("path", PHRASE_FILES, ids=lambda path: path.stem)
def test_every_phrase_matches_a_header_that_consists_of_its_words(path: Path) -> None:
    phrases = WordList(path)
    for phrase in phrases:
        words = headers.words_of(phrase)
        assert " ".join(words) == phrase, (
            "Write each phrase in lower case, without accents, and with one space between words."
        )
        assert headers.contains(words, phrases)
        assert headers.contains(headers.words_of(phrase.title().replace(" ", "")), phrases)


def test_every_file_of_header_phrases_is_used() -> None:
    modules = (headers, key_headers, messages)
    lists = {
        repr(value) for module in modules for value in vars(module).values() if isinstance(value, WordList)
    }
    assert lists == {f"WordList({path.name!r})" for path in PHRASE_FILES}
