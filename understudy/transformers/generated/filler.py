"""Generate random words in the locale of a free-text column, whose content is not learned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.kernels import hashing
from understudy.tables.inference.texts import count_words, find_matches, lengths_of
from understudy.tables.schema import LOCALES, ColumnKind
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import MIN_SUPPORT, Arrays, ArrowArray, Json, RowStream
from understudy.transformers.generated.people import N_DRAWS, POOL_SEED
from understudy.transformers.generated.scripts import locale_of_script
from understudy.transformers.generated.texts import capitalized, join, join_runs, pc
from understudy.transformers.generated.transformer import N_ROWS_ANY

# Number of quantiles that describe the number of words per text.
N_QUANTILES = 9
# Maximum number of words in a text.
N_WORDS_MAX = 512
# Number of texts from which the script is detected.
N_TEXTS_EXAMINED = 1000
# Minimum number of distinct words for a locale. For locales with fewer words, English words are used.
N_WORDS_FEW = 30
# Locales with scripts that do not separate words with spaces.
WITHOUT_BLANKS = frozenset({"ja", "zh"})
# Offset of the random stream for words.
_WORDS = 1 << 52
END_OF_SENTENCE = "[.!?\u3002\uff01\uff1f]\\s*$"

# Capitalization patterns, and the minimum share of the texts that must follow a pattern.
_CAPITALS = {
    "all": r"^[^\p{Ll}]*\p{Lu}[^\p{Ll}]*$",
    "words": r"^\P{L}*\p{Lu}\p{L}*(?:[^\p{L}]+\p{Lu}\p{L}*)*\P{L}*$",
    "first": r"^\P{L}*\p{Lu}",
}
_CAPITALS_MIN = 0.9

Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Filler:
    """A generator of texts that consist of random words from a locale.

    Parameters
    ----------
    locale : str
        Locale of the words.
    n_words : array of shape (N_QUANTILES,)
        Quantiles of the number of words per text. Each quantile is the mean over k neighboring texts.
    is_sentence : bool
        Whether texts begin with a capital letter and end with a full stop.
    capitals : {"none", "first", "words", "all"}
        Capitalization of texts that are not sentences: none, the first letter, the first letter of each
        word, or all letters.
    """

    locale: str
    n_words: Float64s
    is_sentence: bool
    capitals: str = "none"

    @property
    def n_rows_max(self) -> int:
        """The number of rows is not limited."""
        return N_ROWS_ANY

    def make(self, stream: RowStream) -> ArrowArray:
        """Return a text for each row."""
        words = words_of(self.locale)
        n_words = self._count_words(stream)
        starts = np.concatenate(([0], np.cumsum(n_words)))
        rows = np.repeat(stream.rows, n_words)
        # Each word in a row has a different number in the random stream for words.
        place = np.arange(starts[-1]) - np.repeat(starts[:-1], n_words)
        random = np.empty(len(rows), np.uint64)
        numbers = rows * np.uint64(N_WORDS_MAX) + place.astype(np.uint64)
        hashing.hash_rows(*RowStream(stream.seed, stream.stream + _WORDS, numbers).key(), random)
        chosen = (random % np.uint64(len(words))).astype(np.int64)
        if self.is_sentence or self.capitals == "first":
            chosen[starts[:-1]] += len(words)
        elif self.capitals != "none":
            chosen += len(words) * (2 if self.capitals == "all" else 1)
        separator = "" if self.locale in WITHOUT_BLANKS else " "
        return self._with_full_stop(
            join_runs(_with_capitals(self.locale).take(pa.array(chosen, pa.int64())), starts, separator)
        )

    def _with_full_stop(self, texts: ArrowArray) -> ArrowArray:
        if not self.is_sentence:
            return texts
        stop = "。" if self.locale in WITHOUT_BLANKS else "."
        return join([texts, stop], "")

    def _count_words(self, stream: RowStream) -> npt.NDArray[np.int64]:
        words = np.empty(len(stream.rows), np.uint64)
        hashing.hash_rows(*stream.key(), words)
        fraction = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
        drawn = np.interp(fraction * (N_QUANTILES - 1), np.arange(N_QUANTILES), self.n_words)
        return np.clip(np.rint(drawn), 1, N_WORDS_MAX).astype(np.int64)

    def describe(self) -> Json:
        """Return the form and the locale."""
        return {"form": "words", "locale": self.locale}

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the locale and the quantiles of the number of words."""
        manifest: Json = {"form": "words", "locale": self.locale, "is_sentence": self.is_sentence}
        if self.capitals != "none":
            manifest["capitals"] = self.capitals
        return manifest, {"n_words": self.n_words}

    @classmethod
    def from_arrays(cls, kind: ColumnKind, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Load a generator from the output of `to_arrays`."""
        n_words = reader.array("n_words", np.float64, (N_QUANTILES,))
        require(bool(((n_words >= 1) & (n_words <= N_WORDS_MAX)).all()), "a number of words is out of range")
        require(kind is ColumnKind.text, "filler is used for a column that is not text")
        # Model files from earlier versions of Understudy store no capitalization for texts that are not
        # sentences.
        capitals = reader.choice("capitals", _CAPITALS) if "capitals" in reader.manifest else "none"
        return cls(reader.choice("locale", LOCALES), n_words, reader.truth("is_sentence"), capitals)


def fit_filler(texts: ArrowArray, locale: str) -> Filler:
    """Return a generator of texts with similar word counts. Nothing is learned from fewer than k texts."""
    locale = locale_of_script(texts.slice(0, N_TEXTS_EXAMINED).to_pylist(), locale)
    if len(texts) < MIN_SUPPORT:
        return Filler(locale, np.full(N_QUANTILES, float(MIN_SUPPORT)), is_sentence=False)
    if locale in WITHOUT_BLANKS:
        n_words = lengths_of(texts) / lengths_of(words_of(locale)).mean()
    else:
        n_words = count_words(texts).astype(np.float64)
    ordered = np.sort(np.clip(n_words, 1, N_WORDS_MAX))
    first = np.rint(np.linspace(0, len(ordered) - MIN_SUPPORT, N_QUANTILES)).astype(np.int64)
    quantiles = np.array([ordered[i : i + MIN_SUPPORT].mean() for i in first])
    is_sentence = bool(find_matches(texts, END_OF_SENTENCE).mean() > 0.5)
    return Filler(locale, quantiles, is_sentence, "none" if is_sentence else _capitals_of(texts))


def _capitals_of(texts: ArrowArray) -> str:
    """Return the strictest capitalization pattern that nearly all texts follow."""
    for capitals, pattern in _CAPITALS.items():
        if find_matches(texts, pattern).mean() >= _CAPITALS_MIN:
            return capitals
    return "none"


@lru_cache(maxsize=8)
def words_of(locale: str) -> ArrowArray:
    """Return the distinct words of a locale."""
    # Imported here so that only tables with free text load mimesis.
    import mimesis

    text = mimesis.Text(mimesis.Locale(locale), seed=POOL_SEED)
    words = dict.fromkeys(text.word() for _ in range(N_DRAWS))
    # mimesis lacks words for some languages.
    return pa.array(list(words), pa.large_string()) if len(words) >= N_WORDS_FEW else words_of("en")


@lru_cache(maxsize=8)
def _with_capitals(locale: str) -> ArrowArray:
    words = words_of(locale)
    return pa.concat_arrays([words, capitalized(words), pc.utf8_upper(words)])
