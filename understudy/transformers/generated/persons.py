"""Determine which personal columns describe the same person in a row.

Two name columns represent two people, unless both contain the same names. If an e-mail address contains a
person's name, it belongs to that person. Otherwise, columns are assigned by the words in their names, and
then by their order.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.tables.inference import headers, wordlists
from understudy.tables.schema import ColumnKind
from understudy.transformers.base import ArrowColumn, Codes
from understudy.transformers.generated.countries import WORDS_OF_CODES, CountryColumn
from understudy.transformers.generated.personal import Personal
from understudy.transformers.generated.sexes import SEX_HEADERS, SexColumn, agrees
from understudy.transformers.generated.taken_names import TakenNames, fit_taken_names

# Maximum number of rows that are compared.
N_ROWS_COMPARED = 2_000
# Two columns describe one person only if they agree in at least these shares of rows: in total, and in excess
# of the share that chance explains.
AGREEMENT_MIN, BEYOND_CHANCE_MIN = 0.5, 0.25
# Minimum share of agreeing rows that is never attributed to chance.
AGREEMENT_SURE = 0.98
# If fewer than this share of e-mail addresses contain a name from the row, the addresses belong to people who
# have no name columns in the table.
AGREEMENT_NONE = 0.1
# Minimum number of rows required to conclude that two columns do not agree.
N_ROWS_MIN = 20
# Minimum length of a name that is searched for within an e-mail address.
N_LETTERS_MIN = 3

_FULL = ("full", "full_joined", "full_wide", "last_comma_first")
# Maximum number of characters of the last name in a name without a blank.
_LAST_LENGTH_MAX = 3
_SEED = 0
# The words of a name in each row, or the local part of an e-mail address. Empty if the value is missing.
Words = list[tuple[str, ...]]


@dataclass(frozen=True)
class PersonalColumn:
    """A column of names, e-mail addresses, phone numbers or addresses.

    Parameters
    ----------
    place : int
        Position of the column in the table.
    name : str
        Name of the column.
    generator : Personal
        Generator for the column's values.
    values : ChunkedArray
        Values of the table.
    """

    place: int
    name: str
    generator: Personal
    values: ArrowColumn

    @property
    def is_full_name(self) -> bool:
        """Whether the column contains first and last names."""
        return self.generator.kind is ColumnKind.name and self.generator.form in _FULL

    @property
    def is_part_of_name(self) -> bool:
        """Whether the column contains only first or only last names."""
        return self.generator.kind is ColumnKind.name and self.generator.form not in _FULL


def number_people(columns: Sequence[PersonalColumn]) -> dict[int, int]:
    """Return the number of the person in the row for each column, by the column's position."""
    people = _People(columns)
    for column in columns:
        if column.is_full_name:
            people.place(column, people.agreeing(column, _are_same_names))
    for column in columns:
        if column.is_part_of_name:
            people.place(
                column, people.agreeing(column, _contains_name, among=_is_full) or people.beside(column)
            )
    for column in columns:
        if column.generator.kind is ColumnKind.email:
            people.place(column, people.owner_of_email(column))
    for column in columns:
        if column.generator.kind not in (ColumnKind.name, ColumnKind.email):
            people.place(column, people.beside(column))
    return people.numbers()


def find_taken_names(columns: Sequence[PersonalColumn], numbers: dict[int, int]) -> TakenNames | None:
    """Return the full names in the table, including those in separate columns, or None if there are none."""
    names: set[str] = set()
    for column in columns:
        if column.is_full_name:
            own = list(map(_text, column.values.unique().to_pylist()))
            names.update(own)
            if column.generator.form == "full_joined":
                names.update(f"{name[:n]} {name[n:]}" for name in own for n in range(1, _LAST_LENGTH_MAX + 1))
    firsts, lasts = (
        [c for c in columns if _is_name(c) and c.generator.form == form] for form in ("first", "last")
    )
    for first, last in product(firsts, lasts):
        if numbers[first.place] == numbers[last.place]:
            pairs = set(zip(first.values.to_pylist(), last.values.to_pylist(), strict=True))
            names.update(f"{_text(one)} {_text(other)}" for one, other in pairs)
    return fit_taken_names(names)


def choose_sex_columns(
    columns: Sequence[PersonalColumn],
    numbers: dict[int, int],
    sex_columns: dict[int, tuple[SexColumn, Codes]],
    names: Sequence[str],
) -> dict[int, SexColumn]:
    """Return the column with each person's sex, if the first names of the table agree with the column.

    Parameters
    ----------
    columns : sequence of PersonalColumn
        Personal columns.
    numbers : dict of int to int
        Number of the person that each column describes.
    sex_columns : dict of int to (SexColumn, codes)
        Columns with sexes and the codes of their rows, by the position of the column.
    names : sequence of str
        Names of all columns of the table.
    """
    chosen: dict[int, SexColumn] = {}
    named = [c for c in columns if _is_name(c) and c.generator.form != "last"]
    for column in named:
        rows = _rows_compared(len(column.values))
        values = column.values.take(pa.array(rows, pa.int64()))
        for place, (sex_column, codes) in sex_columns.items():
            is_likely = owner_words(names[place]) - SEX_HEADERS == owner_words(column.name)
            if numbers[column.place] not in chosen and agrees(
                values, sex_column.of(codes[rows]), is_likely=is_likely
            ):
                chosen[numbers[column.place]] = sex_column
    return chosen


def choose_country_columns(
    columns: Sequence[PersonalColumn],
    numbers: dict[int, int],
    countries: Sequence[CountryColumn],
    names: Sequence[str],
) -> dict[int, CountryColumn]:
    """Return the country column for each personal column, by the position of the personal column.

    A country belongs to the owner that the name of its column identifies. If the name identifies no owner,
    the country belongs to all people.
    """
    owners = [(owner_words(names[country.place]) - WORDS_OF_CODES, country) for country in countries]
    own: dict[int, CountryColumn] = {}
    of_people: dict[int, CountryColumn] = {}
    for column in columns:
        wanted = owner_words(column.name)
        options = [country for owner, country in owners if owner == wanted]
        options += [country for owner, country in owners if not owner]
        if options:
            own[column.place] = options[0]
            of_people.setdefault(numbers[column.place], options[0])
    return {c.place: of_people[numbers[c.place]] for c in columns if numbers[c.place] in of_people} | own


def _is_full(column: PersonalColumn) -> bool:
    return column.is_full_name


class _People:
    """The groups of columns that describe one person each."""

    def __init__(self, columns: Sequence[PersonalColumn]) -> None:
        self._groups: list[list[PersonalColumn]] = []
        named = [c for c in columns if c.generator.kind in (ColumnKind.name, ColumnKind.email)]
        n_compared = sum(c.generator.kind is ColumnKind.name for c in named)
        # A comparison requires at least two columns of names or e-mail addresses.
        self._words = {c.place: _words_of(c) for c in named} if n_compared and len(named) > 1 else {}

    def place(self, column: PersonalColumn, group: list[PersonalColumn] | None) -> None:
        """Add a column to a group, or to a new group."""
        if group is None:
            self._groups.append([column])
        else:
            group.append(column)

    def agreeing(
        self,
        column: PersonalColumn,
        agrees: Callable[[tuple[str, ...], tuple[str, ...]], bool],
        among: Callable[[PersonalColumn], bool] = _is_full,
    ) -> list[PersonalColumn] | None:
        """Return the group that agrees best with a column, unless the agreement may be due to chance."""
        best, best_share = None, AGREEMENT_MIN
        for group in self._by_owner(column):
            for other in filter(among, group):
                share, chance = self._agreement(column, other, agrees)
                is_clear = share >= AGREEMENT_SURE or share - chance >= BEYOND_CHANCE_MIN
                if is_clear and share > best_share and self._is_free(group, column):
                    best, best_share = group, share
        return best

    def _by_owner(self, column: PersonalColumn) -> list[list[PersonalColumn]]:
        """Return the groups. Groups with column names that identify the same owner come first."""
        owner = owner_words(column.name)
        return sorted(
            self._groups, key=lambda group: all(owner_words(other.name) != owner for other in group)
        )

    def _is_free(self, group: list[PersonalColumn], column: PersonalColumn) -> bool:
        """Return whether a column agrees with all columns of the same form in a group."""
        alike = [other for other in group if _is_alike(column, other)]
        return all(self._agreement(column, other, _are_same_names)[0] > AGREEMENT_MIN for other in alike)

    def owner_of_email(self, column: PersonalColumn) -> list[PersonalColumn] | None:
        """Return the group of the e-mail addresses' owner, or None if the addresses contain no names."""
        owner = self.agreeing(column, _email_contains_name, among=_is_name)
        if owner is not None:
            return owner
        names = [other for group in self._groups for other in group if _is_name(other)]
        shares = [self._agreement(column, other, _email_contains_name)[0] for other in names]
        if names and self._n_present(column) >= N_ROWS_MIN and max(shares) < AGREEMENT_NONE:
            return None
        return self.beside(column)

    def beside(self, column: PersonalColumn) -> list[PersonalColumn] | None:
        """Return the first group without a column of this form, preferably a group with the same owner."""
        groups = self._by_owner(column)
        free = [group for group in groups if not any(_is_alike(column, other) for other in group)]
        if column.is_part_of_name:
            # A first or last name that the full names of a group do not contain belongs to another person.
            free = [group for group in free if not any(map(_is_full, group))]
        return next(iter(free), None)

    def numbers(self) -> dict[int, int]:
        """Return the person number of each column. People are numbered in the order of first appearance."""
        ordered = sorted(self._groups, key=lambda group: min(column.place for column in group))
        return {column.place: number for number, group in enumerate(ordered) for column in group}

    def _n_present(self, column: PersonalColumn) -> int:
        return sum(map(bool, self._words.get(column.place, [])))

    def _agreement(
        self,
        column: PersonalColumn,
        other: PersonalColumn,
        agrees: Callable[[tuple[str, ...], tuple[str, ...]], bool],
    ) -> tuple[float, float]:
        """Return the share of rows in which two columns agree, and the share that chance explains."""
        if column.place not in self._words or other.place not in self._words:
            return 0.0, 0.0
        pairs = [
            (left, right)
            for left, right in zip(self._words[column.place], self._words[other.place], strict=True)
            if left and right
        ]
        if not pairs:
            return 0.0, 0.0
        order = np.random.default_rng(_SEED).permutation(len(pairs))
        share = sum(agrees(left, right) for left, right in pairs) / len(pairs)
        chance = sum(agrees(pairs[i][0], pairs[j][1]) for i, j in enumerate(order)) / len(pairs)
        return share, chance


def _is_name(column: PersonalColumn) -> bool:
    return column.generator.kind is ColumnKind.name


def _is_alike(column: PersonalColumn, other: PersonalColumn) -> bool:
    return (column.generator.kind, column.generator.form) == (other.generator.kind, other.generator.form)


def _are_same_names(words: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shorter, longer = sorted((set(words), set(other)), key=len)
    return shorter <= longer and (len(shorter) > 1 or len(longer) == 1)


def _contains_name(words: tuple[str, ...], full: tuple[str, ...]) -> bool:
    return set(words) <= set(full)


def _email_contains_name(email: tuple[str, ...], name: tuple[str, ...]) -> bool:
    return any(word in email[0] for word in name if len(word) >= N_LETTERS_MIN)


def _words_of(column: PersonalColumn) -> Words:
    """Return the words of names, or the local parts of e-mail addresses, in rows spread over the table."""
    rows = _rows_compared(len(column.values))
    texts = column.values.take(pa.array(rows, pa.int64())).to_pylist()
    if column.generator.kind is ColumnKind.email:
        return [(wordlists.plain(text.partition("@")[0]),) if text else () for text in map(_text, texts)]
    return [_plain_words(text) for text in map(_text, texts)]


def _rows_compared(n: int) -> npt.NDArray[np.int64]:
    """Return positions that are spread evenly over n rows."""
    return np.unique(np.linspace(0, n - 1, min(n, N_ROWS_COMPARED)).astype(np.int64))


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _plain_words(text: str) -> tuple[str, ...]:
    return tuple(wordlists.plain(word) for word in re.findall(r"[^\W\d_]+", text))


def owner_words(name: str) -> frozenset[str]:
    """Return the words that identify the owner in a column name: `manager` in `manager_first_name`."""
    return frozenset(headers.words_of(name)) - _words_of_kinds()


@lru_cache(maxsize=1)
def _words_of_kinds() -> frozenset[str]:
    """Return the words that name a kind of personal value instead of a person."""
    lists: Iterable[headers.Phrases] = (
        *(headers.FIRST, headers.LAST, headers.NAME, headers.EMAIL, headers.PHONE, headers.STREET),
        *(headers.CITY, headers.STATE, headers.COUNTRY, headers.POSTAL_CODE),
    )
    words: dict[str, bool] = defaultdict(bool)
    for phrases in lists:
        for phrase in phrases:
            words |= dict.fromkeys(phrase.split(), True)
    return frozenset(words) | {"full", "no", "nr", "number", "complete", "line", "of", "the"}
