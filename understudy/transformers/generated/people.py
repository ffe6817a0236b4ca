"""One made-up person for each row, with consistent names, address, e-mail address and phone number.

A hash of the seed and the row number selects each of a person's traits from a list. mimesis generates the
lists once per process with a fixed seed, so they depend only on the mimesis version.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.kernels import hashing
from understudy.transformers.base import ArrowArray, RowNumbers, RowStream
from understudy.transformers.generated.countries import calling_codes
from understudy.transformers.generated.numbering import shuffle_rows
from understudy.transformers.generated.regions import Regions
from understudy.transformers.generated.romanization import romanize
from understudy.transformers.generated.sexes import FEMALE, UNKNOWN, Sexes
from understudy.transformers.generated.taken_names import TakenNames, UInt64s, hash_of_words
from understudy.transformers.generated.texts import choose, join, pc

# Number of the first random stream for people. The base streams of columns have lower numbers.
PERSON = 1 << 33
# Number of random streams reserved for a person's traits.
N_TRAITS = 1 << 8
# Offset between the random streams of successive attempts at a name, and maximum number of further attempts.
N_TRAITS_NAMED, N_NAMES_TRIED = 1 << 4, 15
# Maximum number of people per row.
N_PEOPLE_MAX = 1 << 16
# Number of random draws used to build each list.
N_DRAWS = 16_384
# Seed for drawing the lists.
POOL_SEED = 0

# Locales where the family name precedes the given name.
FAMILY_FIRST = frozenset({"hu", "ja", "ko", "zh"})
DOMAINS = ("example.com", "example.org", "example.net")
# Phone numbers that regulators reserve for fiction (NANP 555-01xx, Ofcom, ACMA, Bundesnetzagentur, Arcep,
# PTS). In other locales, mimesis generates a number in the national format, which may belong to a real
# person.
FICTIONAL_PHONES: dict[str, tuple[str, ...]] = {
    "en": ("+1-2##-555-01##", "+1-3##-555-01##", "+1-6##-555-01##", "+1-7##-555-01##"),
    "en-au": ("+61 2 5550 ####", "+61 2 7010 ####", "+61 3 5550 ####", "+61 3 7010 ####"),
    "en-ca": ("+1-4##-555-01##", "+1-6##-555-01##"),
    "en-gb": ("+44 7700 900###", "+44 20 7946 0###"),
    "de": ("+49 30 23125 ###", "+49 171 39200 ##"),
    "fr": ("+33 1 99 00 ## ##", "+33 6 39 98 ## ##"),
}


@dataclass(frozen=True)
class Person:
    """A made-up person for each row of a block. The traits of a person are the same in all columns.

    Parameters
    ----------
    stream : RowStream
        Seed and numbers of the rows. The stream number is not used.
    number : int
        Number of the person in the row: 0 for the first person, 1 for the second, and so on.
    sexes : array of shape (n,), optional
        Sex of the person in each row, if the table contains it.
    is_international : bool
        Whether phone numbers begin with the calling code of the country.
    regions : Regions, optional
        State of each row, if the table contains it.
    taken : TakenNames, optional
        Full names that people must not have.
    """

    stream: RowStream
    number: int
    sexes: Sexes | None = None
    is_international: bool = False
    regions: Regions | None = None
    taken: TakenNames | None = None

    def word(self, trait: int) -> UInt64s:
        """Return 64 random bits for a trait of each person."""
        return self._word(trait, self.stream.rows)

    def _word(self, trait: int, rows: RowNumbers) -> UInt64s:
        words = np.empty(len(rows), np.uint64)
        stream = PERSON + self.number * N_TRAITS + trait
        hashing.hash_rows(*RowStream(self.stream.seed, stream, rows).key(), words)
        return words

    def words_of_name(self, locale: str) -> tuple[UInt64s, UInt64s]:
        """Return 64 random bits for the first and the last name of each person.

        If the full name is taken, other names are drawn, up to `N_NAMES_TRIED` times.
        """
        first, last = self.word(_FIRST), self.word(_LAST)
        if self.taken is None:
            return first, last
        pending, is_female = np.arange(len(first)), self.is_female()
        for attempt in range(1, N_NAMES_TRIED + 1):
            hashes = _hashes_of_names(locale, is_female[pending], first[pending], last[pending])
            pending = pending[self.taken.contain(hashes)]
            if not len(pending):
                break
            rows = self.stream.rows[pending]
            first[pending] = self._word(_FIRST + attempt * N_TRAITS_NAMED, rows)
            last[pending] = self._word(_LAST + attempt * N_TRAITS_NAMED, rows)
        return first, last

    def pick(self, pool: ArrowArray, trait: int) -> ArrowArray:
        """Return an entry of a list for each person."""
        picked: ArrowArray = pool.take(pa.array(self.word(trait) % np.uint64(len(pool))))
        return picked

    def is_female(self) -> npt.NDArray[np.bool_]:
        """Return a mask of the people with female names."""
        drawn = (self.word(_GENDER) & np.uint64(1)).astype(np.bool_)
        return drawn if self.sexes is None else np.where(self.sexes == UNKNOWN, drawn, self.sexes == FEMALE)


_GENDER, _FIRST, _LAST, _STREET, _CITY, _POSTAL, _STATE, _PHONE, _DOMAIN, _NUMBER = range(10)


@dataclass(frozen=True)
class Pools:
    """The lists of traits for a locale. In tuples of names, male names come first."""

    first: tuple[ArrowArray, ArrowArray]
    last: tuple[ArrowArray, ArrowArray]
    street: ArrowArray
    city: ArrowArray
    postal_code: ArrowArray
    state: ArrowArray
    country: str
    phone: ArrowArray


@lru_cache(maxsize=64)
def pools_of(locale: str) -> Pools:
    """Return the lists of a locale, which are generated on first use."""
    # Imported here so that only tables with personal columns load mimesis.
    import mimesis

    mimesis_locale = mimesis.Locale(locale)
    names = mimesis.Person(mimesis_locale, seed=POOL_SEED)
    address = mimesis.Address(mimesis_locale, seed=POOL_SEED)
    men, women = (
        (_drawn(partial(names.first_name, gender=gender)), _drawn(partial(names.last_name, gender=gender)))
        for gender in (mimesis.Gender.MALE, mimesis.Gender.FEMALE)
    )
    masks = FICTIONAL_PHONES.get(locale, ("",))
    n_phones = iter(range(N_DRAWS))
    return Pools(
        first=(men[0], women[0]),
        last=(men[1], women[1]),
        street=_drawn(address.address),
        city=_drawn(address.city),
        postal_code=_drawn(address.postal_code),
        state=_drawn(address.state),
        country=address.default_country(),
        phone=_drawn(lambda: names.phone_number(mask=masks[next(n_phones) % len(masks)])),
    )


def _drawn(draw: Callable[[], str]) -> ArrowArray:
    """Return the distinct results of repeated draws, in the order of the draws."""
    return pa.array(list(dict.fromkeys(draw() for _ in range(N_DRAWS))), pa.large_string())


def first_names(person: Person, locale: str) -> ArrowArray:
    """Return first names."""
    return _by_gender(person, pools_of(locale).first, person.words_of_name(locale)[0])


def last_names(person: Person, locale: str) -> ArrowArray:
    """Return last names."""
    return _by_gender(person, pools_of(locale).last, person.words_of_name(locale)[1])


def _by_gender(person: Person, pools: tuple[ArrowArray, ArrowArray], words: UInt64s) -> ArrowArray:
    men, women = (pool.take(pa.array(words % np.uint64(len(pool)))) for pool in pools)
    return choose(person.is_female(), women, men)


def _hashes_of_names(locale: str, is_female: npt.NDArray[np.bool_], first: UInt64s, last: UInt64s) -> UInt64s:
    """Return the sum of the hashes of the words of each full name."""
    sums = np.zeros(len(first), np.uint64)
    for (men, women), words in zip(_hashes_of_pools(locale), (first, last), strict=True):
        own = (pool[words % np.uint64(len(pool))] for pool in (women, men))
        sums += np.where(is_female, *own)
    return sums


@lru_cache(maxsize=64)
def _hashes_of_pools(locale: str) -> tuple[tuple[UInt64s, UInt64s], tuple[UInt64s, UInt64s]]:
    pools = pools_of(locale)
    men_first, women_first, men_last, women_last = (
        np.array([hash_of_words(str(name)) for name in pool.to_pylist()], np.uint64)
        for pool in (*pools.first, *pools.last)
    )
    return (men_first, women_first), (men_last, women_last)


def full_names(person: Person, locale: str) -> ArrowArray:
    """Return full names in the order of the locale."""
    return _full_names(person, locale, " ")


def full_names_joined(person: Person, locale: str) -> ArrowArray:
    """Return full names without a blank, as in Chinese, Japanese and Korean text."""
    return _full_names(person, locale, "" if locale in FAMILY_FIRST else " ")


def full_names_wide(person: Person, locale: str) -> ArrowArray:
    """Return full names with an ideographic space, as in Japanese forms."""
    return _full_names(person, locale, "\u3000" if locale in FAMILY_FIRST else " ")


def _full_names(person: Person, locale: str, separator: str) -> ArrowArray:
    names = [first_names(person, locale), last_names(person, locale)]
    return join(names[::-1] if locale in FAMILY_FIRST else names, separator)


def last_comma_first(person: Person, locale: str) -> ArrowArray:
    """Return names in the form `Last, First`."""
    return join([last_names(person, locale), first_names(person, locale)], ", ")


def emails(person: Person, locale: str) -> ArrowArray:
    """Return e-mail addresses that contain the person's names, at domains reserved for examples.

    Addresses are unique for row numbers below 2**48 because each address contains a unique number.
    """
    pairs = zip(_ascii_pools(locale), person.words_of_name(locale), strict=True)
    names = [_by_gender(person, pools, words) for pools, words in pairs]
    local = join([join(names, "."), _own_numbers(person)], "")
    return join([local, person.pick(pa.array(DOMAINS, pa.large_string()), _DOMAIN)], "@")


def logins(person: Person, locale: str) -> ArrowArray:
    """Return ASCII user names, which consist of the first initial and the last name."""
    pairs = zip(_ascii_pools(locale), person.words_of_name(locale), strict=True)
    first, last = (_by_gender(person, pools, words) for pools, words in pairs)
    initial: ArrowArray = pc.utf8_slice_codeunits(first, 0, 1)
    login: ArrowArray = pc.utf8_lower(join([initial, last], ""))
    letters: ArrowArray = pc.replace_substring_regex(login, pattern="[^a-z]", replacement="")
    return letters


def _own_numbers(person: Person) -> ArrowArray:
    """Return a unique number for each row as text."""
    stream = PERSON + person.number * N_TRAITS + _NUMBER
    own = person.stream.of_identifiers()
    numbers = shuffle_rows(RowStream(own.seed, stream, own.rows))
    texts: ArrowArray = pa.array(numbers).cast(pa.large_string())
    return texts


@lru_cache(maxsize=64)
def _ascii_pools(locale: str) -> tuple[tuple[ArrowArray, ArrowArray], tuple[ArrowArray, ArrowArray]]:
    pools = pools_of(locale)
    men_first, women_first, men_last, women_last = (
        pa.array([romanize(str(name)) for name in pool.to_pylist()], pa.large_string())
        for pool in (*pools.first, *pools.last)
    )
    return (men_first, women_first), (men_last, women_last)


def phones(person: Person, locale: str) -> ArrowArray:
    """Return phone numbers in the format of the locale."""
    pool = _international_phones(locale) if person.is_international else pools_of(locale).phone
    return person.pick(pool, _PHONE)


@lru_cache(maxsize=64)
def _international_phones(locale: str) -> ArrowArray:
    """Return the phone numbers of a locale that begin with its calling code."""
    pool, code = pools_of(locale).phone, calling_codes()[locale]
    own = [str(phone) for phone in pool.to_pylist() if re.match(rf"[(]?[+]{code}", str(phone))]
    if not own:
        # National numbers begin with a zero, which the calling code replaces.
        own = [f"+{code} {re.sub(r'^[(]?0[)]?', '', str(phone))}" for phone in pool.to_pylist()]
    return pa.array(own, pa.large_string())


def streets(person: Person, locale: str) -> ArrowArray:
    """Return streets with house numbers."""
    return person.pick(pools_of(locale).street, _STREET)


def cities(person: Person, locale: str) -> ArrowArray:
    """Return cities."""
    pool = pools_of(locale).city
    if person.regions is None:
        return person.pick(pool, _CITY)
    chosen = person.regions.choose(person.word(_CITY), len(pool))
    towns: ArrowArray = pool.take(pa.array(chosen, pa.uint64()))
    return towns


def postal_codes(person: Person, locale: str) -> ArrowArray:
    """Return postal codes in the format of the locale."""
    return person.pick(pools_of(locale).postal_code, _POSTAL)


def states(person: Person, locale: str) -> ArrowArray:
    """Return states, counties or provinces."""
    return person.pick(pools_of(locale).state, _STATE)


def countries(person: Person, locale: str) -> ArrowArray:
    """Return the locale's country for every row."""
    country = pools_of(locale).country
    return pa.array([country] * len(person.stream.rows), pa.large_string())


def full_addresses(person: Person, locale: str) -> ArrowArray:
    """Return one-line addresses with street, postal code and city."""
    town = join([postal_codes(person, locale), cities(person, locale)], " ")
    return join([streets(person, locale), town], ", ")
