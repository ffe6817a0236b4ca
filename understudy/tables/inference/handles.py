"""Detect user names and other handles of people: single words of letters, digits and marks that repeat.

The column name often indicates a role or a side instead of a key: `author`, `assigned_to`, `white_id`.
In that case, the decision depends on the form of the values, or on another column with the same values.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from understudy.tables.inference import headers, other_forms
from understudy.tables.inference.candidates import MOSTLY, N_DISTINCT_MIN, PLAUSIBLE, Evidence, Finding
from understudy.tables.inference.joint_values import JointValues
from understudy.tables.inference.key_headers import KEY_WORDS, key_header, key_role
from understudy.tables.inference.shared_values import SharedValues
from understudy.tables.inference.texts import (
    CountedTexts,
    Mask,
    find_matches,
    lengths_of,
    pc,
    without_placeholders,
)
from understudy.tables.inference.values import Sample
from understudy.tables.schema import Column, ColumnKind

HANDLE = r"^[@~]?[\pL\d][\pL\d._+-]{1,38}$"
# A digit, a mark within the word, or an uppercase letter after a lowercase letter.
_MARKED = r"\d|[\pL\d][._+-][\pL\d]|_|\p{Ll}\p{Lu}"
_SMALL = r"^[\p{Ll}\d._+@~-]+$"
# Minimum number of distinct handles if the column name does not indicate people.
N_HANDLES_MIN = 50
# Minimum number of different lengths, and minimum share of handles with digits or marks.
N_LENGTHS_MIN, N_LENGTHS_VARIED_MIN, MARKED_MIN, MARKED_CLEAR = 3, 5, 0.05, 0.3
# Codes such as `AB-0417` have few forms. Minimum number of forms per distinct handle, up to a limit.
FORMS_MIN, N_FORMS_ENOUGH = 0.1, 20
# Minimum number of distinct values, and minimum share of them that another column must contain.
N_POOL_MIN, POOL_MIN = 20, 0.5
# Maximum number of pairs of columns whose rows are compared.
N_PAIRS_MAX = 2_000


def detect_handle(evidence: Evidence) -> Finding | None:
    """Detect handles by a column name that indicates a person, or that contains a word for a key."""
    header = key_header(evidence.words)
    if headers.names_property(evidence.words) or (header is not None and header.role == "class"):
        return None
    if evidence.n_distinct < N_DISTINCT_MIN or not _are_handles(evidence.texts):
        return None
    if (header is not None and header.role == "person") or _names_agent(evidence.words):
        reason = "the column name indicates people, and the values look like user names"
        return Finding(ColumnKind.identifier, 0.84, reason)
    has_key = header is None and any(
        word in KEY_WORDS for word in (*evidence.words[-1:], *evidence.words[:1])
    )
    if has_key and evidence.n_distinct >= N_HANDLES_MIN and are_irregular(evidence.texts):
        reason = "the column name contains a word for a key, and the values look like user names"
        return Finding(ColumnKind.identifier, 0.78, reason)
    return None


def find_handles(
    columns: Sequence[Column], samples: Sequence[Sample], joint: JointValues
) -> dict[int, Finding]:
    """Return findings for columns that share the values of another column or contain handles of people."""
    texts = {
        i: without_placeholders(sample.texts())
        for i, sample in enumerate(samples)
        if _is_text(sample.type_) and sample.occurrence.n_distinct >= N_POOL_MIN
    }
    plain = [i for i in texts if _may_be_handle(columns[i])]
    known = [i for i in texts if columns[i].kind in (ColumnKind.identifier, ColumnKind.name)]
    irregular = {i for i in plain if are_irregular(texts[i])}
    shared = SharedValues({i: texts[i] for i in {*plain, *known}}, [*known, *sorted(irregular)])
    found: dict[int, Finding] = {}
    unique: list[int] = []
    for i in plain:
        pools = [j for j, n in shared.count(i).items() if _is_pool(n, i, j, texts, samples)]
        if pools and pools[0] not in irregular:
            reason = f"most values also occur in {columns[pools[0]].name}"
            found[i] = Finding(columns[pools[0]].kind, 0.8, reason)
        elif i not in irregular or samples[i].occurrence.n_distinct < N_HANDLES_MIN:
            continue
        elif pools:
            reason = f"the values look like user names, and they also occur in {columns[pools[0]].name}"
            found[i] = Finding(ColumnKind.identifier, 0.75, reason)
        elif _are_clear(texts[i]):
            unique.append(i)
    reason = "the values look like user names, and each determines the value of another column"
    handles = _find_determining(unique, columns, samples, joint)
    return found | {i: Finding(ColumnKind.identifier, 0.7, reason) for i in handles}


def are_irregular(texts: CountedTexts) -> bool:
    """Return whether texts are single words of many forms, some of which contain digits or marks."""
    if not _are_handles(texts) or len(pc.unique(pc.utf8_length(texts.distinct))) < N_LENGTHS_VARIED_MIN:
        return False
    forms = pc.replace_substring_regex(texts.distinct, pattern=r"\d", replacement="9")
    forms = pc.replace_substring_regex(forms, pattern=r"\pL", replacement="a")
    n_forms = len(pc.unique(forms))
    is_marked = find_matches(texts.distinct, _MARKED)
    is_varied = n_forms >= min(FORMS_MIN * len(texts.counts), N_FORMS_ENOUGH)
    return is_varied and float(is_marked.mean()) >= MARKED_MIN and bool((~_are_codes(texts)).mean() > MOSTLY)


def _are_handles(texts: CountedTexts) -> bool:
    n_handles = texts.count(find_matches(texts.distinct, HANDLE))
    if n_handles < PLAUSIBLE * texts.n or texts.share(r"\pL") < PLAUSIBLE:
        return False
    is_date = other_forms.find_dates(texts.distinct)
    return texts.count(is_date) < MOSTLY * texts.n and len(set(lengths_of(texts.distinct))) >= N_LENGTHS_MIN


def _are_codes(texts: CountedTexts) -> Mask:
    """Return a mask of the texts in capital letters and digits."""
    return find_matches(texts.distinct, r"^[\p{Lu}\d._+-]+$")


def _are_clear(texts: CountedTexts) -> bool:
    """Return whether nearly all texts are in lower case, and many contain digits or marks."""
    is_small = find_matches(texts.distinct, _SMALL)
    is_marked = find_matches(texts.distinct, _MARKED)
    return float(is_small.mean()) >= PLAUSIBLE and float(is_marked.mean()) >= MARKED_CLEAR


def _names_agent(words: tuple[str, ...]) -> bool:
    """Return whether the words indicate who did something: `created_by`, `assigned_to`."""
    if headers.contains(words, headers.PERSON_ALONE) or (words and key_role(words[-1]) == "person"):
        return True
    return len(words) > 1 and (words[-1] in ("by", "von", "par", "por") or words[-2:] == ("assigned", "to"))


def _may_be_handle(column: Column) -> bool:
    words = headers.words_of(column.name)
    header = key_header(words)
    if column.kind is not ColumnKind.category or (header is not None and header.role == "class"):
        return False
    return not (headers.address_form(words) or headers.names_property(words) or headers.names_time(words))


def _is_pool(
    n_shared: int, i: int, j: int, texts: dict[int, CountedTexts], samples: Sequence[Sample]
) -> bool:
    """Return whether most values of a column probably also occur in another column, based on samples."""
    n_own, n_others = len(texts[i].distinct), len(texts[j].distinct)
    # Only some of the other column's values are in its sample.
    scale = max(samples[j].occurrence.n_distinct, n_others) / n_others
    return n_shared / n_own * scale >= POOL_MIN


def _find_determining(
    keys: list[int], columns: Sequence[Column], samples: Sequence[Sample], joint: JointValues
) -> list[int]:
    """Return the columns that determine another column, among a limited number of pairs."""
    others = [
        j
        for j, column in enumerate(columns)
        if samples[j].occurrence.n_distinct > 1 and column.kind is not ColumnKind.identifier
    ]
    compared = others[: max(N_PAIRS_MAX // max(len(keys), 1), 2)]
    return [i for i in keys if any(j != i and joint.determines(i, j) for j in compared)]


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)
