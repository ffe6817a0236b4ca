"""Made-up levels of a category: new codes and labels that resemble the levels of a table."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa

from understudy.tables.inference.numbers import highest_of
from understudy.transformers.base import MIN_SUPPORT, ArrowArray, RowStream, consecutive_rows
from understudy.transformers.generated.filler import WITHOUT_BLANKS, words_of
from understudy.transformers.generated.identifiers import PatternTexts, fit_patterns, fit_sequence
from understudy.transformers.generated.json_texts import JsonTexts, fit_json
from understudy.transformers.generated.patterns import CLASSES, Pattern, by_length, learn_patterns
from understudy.transformers.generated.scripts import locale_of_script

# Seed of made-up levels. The levels belong to the model, so all samples of a model have the same levels.
SEED = 0x1AB
# If at least this share of the levels has a pattern of codes, the made-up levels are codes.
CODED_MIN = 0.8
# Private-use character that marks the position of the code within a label.
CODE_MARK = "\ue000"
# Minimum number of letters in a word. Shorter runs of letters belong to codes. A word in capitals needs one
# more letter.
WORD_LENGTH_MIN = 4
# Maximum length of a run of capital letters that is replaced with random letters. Longer runs are replaced
# with words.
INITIALS_MAX = 3
# Number of attempts to find a new text for a level before the texts become longer.
N_ATTEMPTS = 20
# Maximum number of unused integers between the levels of a table. If there are more, new levels are not
# chosen from them.
N_PLACES_MAX = 10_000
# Default number of words in a label, for tables with too few labels to determine this number.
N_WORDS_DEFAULT = 1

# A number of at most 18 digits between texts without digits.
_PADDED = re.compile(r"([^0-9]*)([0-9]{1,18})([^0-9]*)")
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[\W_]+")


def make_up_levels(levels: ArrowArray, n: int, locale: str) -> ArrowArray | None:
    """Return n new levels that resemble the given levels, or None if their type has too few unused values.

    Parameters
    ----------
    levels : pyarrow.Array
        Distinct levels of the table: texts or integers. The result has the same type.
    n : int
        Number of new levels.
    locale : str
        Locale of the words in new labels.
    """
    if pa.types.is_integer(levels.type):
        return _make_up_integers(levels, n)
    texts = levels.cast(pa.large_string())
    known: list[Any] = texts.to_pylist()
    json_generator = fit_json(texts, locale)
    if json_generator is not None:
        made = _make_up_json(json_generator, known, n)
        return None if made is None else pa.array(made, pa.large_string()).cast(levels.type)
    made = (
        _make_up_padded(known, n)
        or _make_up_codes(texts, n)
        or _make_up_labels(known, n, locale_of_script(known, locale))
    )
    return pa.array(made, pa.large_string()).cast(levels.type)


def _make_up_json(generator: JsonTexts, known: list[str], n: int) -> list[str] | None:
    """Return new JSON texts with the structure of the levels, or None if too few new texts are found."""
    made: list[Any] = generator.make(RowStream(SEED, 0, consecutive_rows(0, N_ATTEMPTS * n))).to_pylist()
    taken = set(known)
    new = [text for text in dict.fromkeys(made) if text not in taken]
    return new[:n] if len(new) >= n else None


def _make_up_integers(levels: ArrowArray, n: int) -> ArrowArray | None:
    made = _make_up_between(levels, n)
    return _make_up_numbers(levels, n) if made is None else made


def _make_up_between(levels: ArrowArray, n: int) -> ArrowArray | None:
    """Return unused integers between the levels, on their grid, or None if too few or too many exist."""
    sorted_levels = np.sort(np.asarray(levels.to_numpy(zero_copy_only=False)))
    if len(sorted_levels) < 2 or int(sorted_levels[-1]) >= 2**63:
        return None
    numbers = sorted_levels.astype(np.int64)
    if int(numbers[-1]) - int(numbers[0]) >= 2**62:
        return None
    step = int(np.gcd.reduce(np.diff(numbers)))
    n_places = int(numbers[-1] - numbers[0]) // step + 1
    if not 2 * n <= n_places - len(numbers) <= N_PLACES_MAX:
        return None
    places = np.setdiff1d(np.arange(n_places), (numbers - numbers[0]) // step)
    chosen = np.random.default_rng([SEED, n]).choice(places, n, replace=False)
    array: ArrowArray = pa.array(numbers[0] + chosen * step).cast(levels.type)
    return array


def _make_up_padded(texts: list[str], n: int) -> list[str] | None:
    """Return texts with unused numbers, if the given texts differ only in a number of constant width."""
    parts = [_PADDED.fullmatch(text) for text in texts]
    ends = {(part[1], part[3], len(part[2])) if part else None for part in parts}
    if len(ends) != 1 or None in ends:
        return None
    numbers = _make_up_between(pa.array([int(part[2]) for part in parts if part], pa.int64()), n)
    ((before, after, width),) = (end for end in ends if end is not None)
    return None if numbers is None else [f"{before}{i:0{width}d}{after}" for i in numbers.to_pylist()]


def _make_up_numbers(levels: ArrowArray, n: int) -> ArrowArray | None:
    limit = highest_of(levels.type)
    texts = by_length(levels.cast(pa.large_string()))
    n_digits_max = len(str(limit)) - 1
    learned = [(_without_leading_zero(pattern), count) for pattern, count in learn_patterns(texts)]
    learned = [(pattern, count) for pattern, count in learned if pattern.has_digits_only(n_digits_max)]
    if learned:
        generator = fit_patterns(learned, texts, length_max=n_digits_max)
        if generator.n_rows_max >= n:
            return _make(generator, n).cast(levels.type)
    numbers = np.asarray(levels.to_numpy(zero_copy_only=False))
    sequence = fit_sequence(numbers, limit)
    if sequence.start + sequence.step * n > limit:
        return None
    new = sequence.start + np.arange(n, dtype=np.uint64).astype(numbers.dtype) * sequence.step
    array: ArrowArray = pa.array(new).cast(levels.type)
    return array


def _without_leading_zero(pattern: Pattern) -> Pattern:
    first, *others = pattern.positions
    return Pattern(("nonzero" if first == "digit" else first, *others))


def _make(generator: PatternTexts, n: int) -> ArrowArray:
    return generator.make(RowStream(SEED, 0, consecutive_rows(0, n)))


def _make_up_codes(texts: ArrowArray, n: int) -> list[str] | None:
    """Return new texts in the patterns of codes, or None if the levels are not codes."""
    characters = by_length(texts)
    known: list[Any] = texts.to_pylist()
    n_codes = sum(not any(map(_is_word, _TOKEN.findall(text))) for text in known)
    learned = learn_patterns(characters)
    if min(n_codes, sum(count for _, count in learned)) < CODED_MIN * len(texts):
        return None
    made: list[Any] = _make(fit_patterns(learned, characters), n).to_pylist()
    return made


def _is_word(token: str) -> bool:
    """Return whether a token is a word. Short tokens in capitals are codes, such as airport codes."""
    return token.isalpha() and len(token) >= WORD_LENGTH_MIN + token.isupper()


@dataclass(frozen=True)
class _Part:
    """A part of a label: a text that enough labels share, or the style of a made-up text.

    Parameters
    ----------
    style : str
        ``=`` for a shared text, a class of characters, ``shared`` with a position for a word that labels
        share at this position, or the style of a made-up word.
    text : str
        Text of the part, if labels share it.
    length : int
        Number of characters, if the style is a class of characters.
    """

    style: str
    text: str = ""
    length: int = 0


def _make_up_labels(texts: list[str], n: int, locale: str) -> list[str]:
    """Return new texts. Their parts are shared by enough labels, or are random digits, letters or words."""
    rng = np.random.default_rng([SEED, n])
    tokens = [_TOKEN.findall(text) for text in texts]
    if locale in WITHOUT_BLANKS:
        tokens = _with_common_endings(tokens)
    n_labels = Counter(token for own in tokens for token in set(own))
    is_marked = bool(texts) and CODE_MARK in texts[0]
    shapes = [tuple(_part_of(token, n_labels) for token in own) for own in tokens]
    known = _frequent(shapes, is_marked=is_marked)
    if not known:
        is_in_most = {token for token, n_own in n_labels.items() if n_own >= len(texts) / 2}
        known = _frequent([_with_choices(shape, is_in_most) for shape in shapes], is_marked=is_marked)
    known = known or [(_default_shape(tokens), 1)]
    weights = np.array([n_texts for _, n_texts in known], np.float64)
    chosen = rng.choice(len(known), n, p=weights / weights.sum())
    # Texts with a mark may repeat because the codes that replace the marks differ.
    taken = set() if is_marked else {text.casefold() for text in texts}
    pools: defaultdict[str, list[Any]] = defaultdict(list)
    for own in tokens:
        for place, token in enumerate(own):
            if token.isalpha() and n_labels[token] >= MIN_SUPPORT:
                pools[f"shared {place}"].append(token)
    words = {"": words_of(locale).to_pylist(), **pools}
    made = []
    for choice in chosen.tolist():
        text = next(t for t in _attempts(known[choice][0], words, rng) if t.casefold() not in taken)
        if not is_marked:
            taken.add(text.casefold())
        made.append(text)
    return made


def _with_common_endings(tokens: list[list[str]]) -> list[list[str]]:
    """Return tokens, with a word's last character split off if many words in the labels end in it.

    For example, the last character of the name of a Japanese city becomes a token. In scripts without spaces,
    this is the only way to split a label.
    """
    endings = Counter(word[-1] for own in tokens for word in own if len(word) > 1 and word.isalpha())
    common = {ending for ending, n in endings.items() if n >= max(MIN_SUPPORT, len(tokens) / 2)}
    return [
        [part for word in own for part in ([word[:-1], word[-1]] if word[-1] in common else [word]) if part]
        for own in tokens
    ]


def _frequent(shapes: list[tuple[_Part, ...]], *, is_marked: bool) -> list[tuple[tuple[_Part, ...], int]]:
    """Return the shapes that enough labels share and that produce varying texts, with their frequencies."""
    counted = Counter(shapes).items()
    return [(shape, n) for shape, n in counted if n >= MIN_SUPPORT and (is_marked or _varies(shape))]


def _with_choices(shape: tuple[_Part, ...], is_in_most: set[str]) -> tuple[_Part, ...]:
    """Return a shape with random choices in place of shared words that only a minority of labels contain."""
    return tuple(
        _Part(f"shared {place}")
        if part.style == "=" and part.text.isalpha() and part.text not in is_in_most
        else part
        for place, part in enumerate(shape)
    )


def _attempts(
    shape: tuple[_Part, ...], words: dict[str, list[Any]], rng: np.random.Generator
) -> Iterator[str]:
    """Yield increasingly long texts of a shape, with more random characters or with a number at the end."""
    has_class = any(part.style in CLASSES for part in shape)
    for number in count():
        longer = tuple(replace(p, length=p.length + number) if p.style in CLASSES else p for p in shape)
        end = "" if has_class or not number else f" {number + 1}"
        for _ in range(N_ATTEMPTS):
            yield "".join(_write(part, words, rng) for part in longer) + end


def _part_of(token: str, n_labels: Counter[str]) -> _Part:
    is_alnum = token[0].isalnum()
    if n_labels[token] >= MIN_SUPPORT:
        return _Part("=", token)
    if token.isdigit():
        return _Part("digit", length=len(token))
    if not is_alnum:
        return _Part("=", " ")
    if len(token) <= INITIALS_MAX and token.isupper():
        return _Part("upper", length=len(token))
    return _Part("upper word" if token.isupper() else "title" if token[0].isupper() else "word")


def _varies(shape: tuple[_Part, ...]) -> bool:
    return any(part.style != "=" for part in shape)


def _default_shape(tokens: list[list[str]]) -> tuple[_Part, ...]:
    """Return a shape with the median number of words, all in the most frequent style."""
    words = [[token for token in own if token[0].isalnum()] for own in tokens]
    n_words = int(np.median([len(own) for own in words])) if len(words) >= MIN_SUPPORT else N_WORDS_DEFAULT
    styles = Counter(_part_of(token, Counter()) for own in words for token in own if not token.isdigit())
    style = _Part("title") if not styles else styles.most_common(1)[0][0]
    parts: list[_Part] = []
    for i in range(max(n_words, 1)):
        parts += [_Part("=", " "), style] if i else [style]
    return tuple(parts)


def _write(part: _Part, words: dict[str, list[Any]], rng: np.random.Generator) -> str:
    if part.style == "=":
        return part.text
    if part.style in CLASSES:
        alphabet = CLASSES[part.style]
        return "".join(alphabet[i] for i in rng.integers(len(alphabet), size=part.length).tolist())
    some = words.get(part.style, words[""])
    word = str(some[int(rng.integers(len(some)))])
    return {"upper word": word.upper(), "title": word.capitalize()}.get(part.style, word)
