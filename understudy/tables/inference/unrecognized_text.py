"""Detect identifiers and free text, which are never learned, in texts that mostly occur once."""

from __future__ import annotations

from understudy.tables.inference.candidates import MOSTLY, NEARLY_ALL, PLAUSIBLE, Evidence, Finding
from understudy.tables.inference.texts import ArrowArray, CountedTexts, count_words, lengths_of, pc
from understudy.tables.schema import ColumnKind

UUID_TEXT = "^(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
# Mean number of words above which texts are considered free text.
N_WORDS_TEXT = 4
# Mean number of characters above which texts with whitespace are considered free text.
N_LETTERS_TEXT = 40
# Maximum number of shapes of numbered texts, such as `Room 101`.
N_SHAPES_FEW = 8


def detect_unique(evidence: Evidence) -> Finding | None:
    """Detect identifiers and free text in a column where most values occur once."""
    if not evidence.is_mostly_unique:
        return None
    once = f"{evidence.occurrence.share_once:.0%} of the {_which(evidence)}values occur once"
    if evidence.texts.share(UUID_TEXT) >= NEARLY_ALL:
        return Finding(ColumnKind.identifier, 0.93, f"{once}, and nearly all are UUIDs")
    if is_prose(evidence.texts):
        return Finding(ColumnKind.text, 0.8, f"{once}, and they look like free text")
    return Finding(ColumnKind.identifier, 0.8, once)


def _which(evidence: Evidence) -> str:
    return "" if evidence.occurrence.is_whole else "sampled "


def is_prose(texts: CountedTexts) -> bool:
    """Return whether texts have several words and do not follow a few numbered shapes."""
    n_words = count_words(texts.distinct).mean()
    n_letters = lengths_of(texts.distinct).mean()
    has_blanks = texts.share(r"\S\s+\S")
    # Chinese and Japanese prose has no whitespace, but also no ASCII letters.
    is_foreign = texts.share(r"^[\x00-\x7f]*$") < 1 - MOSTLY and n_letters >= N_LETTERS_TEXT / 4
    if n_words > N_WORDS_TEXT or (n_letters >= N_LETTERS_TEXT and has_blanks > MOSTLY) or is_foreign:
        return True
    return has_blanks > MOSTLY and not _is_numbered(texts.distinct)


def _is_numbered(distinct: ArrowArray) -> bool:
    """Return whether nearly all texts follow a few shapes that include a number, such as `Room 101`."""
    shapes = pc.value_counts(pc.replace_substring_regex(distinct, pattern=r"\d+", replacement="\x00"))
    has_digit = pc.match_substring(shapes.field("values"), "\x00").to_numpy(zero_copy_only=False)
    counts = sorted(shapes.field("counts").to_numpy()[has_digit].tolist(), reverse=True)
    return bool(sum(counts[:N_SHAPES_FEW]) >= PLAUSIBLE * len(distinct))
