"""Infer one column: choose a candidate kind, and record the evidence and the second most likely kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa

from understudy.tables.findings import ColumnFindings, RunnerUp
from understudy.tables.inference import coded_identifiers, headers, personal, repeated_keys
from understudy.tables.inference.candidates import MOSTLY, N_VALUES_MIN, Evidence, Finding
from understudy.tables.inference.handles import detect_handle
from understudy.tables.inference.messages import detect_message
from understudy.tables.inference.numbers import find_in_floats, find_in_whole_numbers
from understudy.tables.inference.quantity_texts import detect_quantity
from understudy.tables.inference.texts import CountedTexts, find_matches, without_placeholders
from understudy.tables.inference.types import column_kind
from understudy.tables.inference.unrecognized_text import detect_unique
from understudy.tables.inference.values import Occurrence, Sample
from understudy.tables.notations.scripts import PLAIN, find_digits
from understudy.tables.public_codes import are_public_codes
from understudy.tables.schema import GENERATED_KINDS, Column, ColumnKind

# Descriptions of the values of each kind, used in the evidence.
_WORDS: dict[ColumnKind, str] = {
    ColumnKind.integer: "whole numbers",
    ColumnKind.float: "numbers",
    ColumnKind.decimal: "fixed-scale decimal numbers",
    ColumnKind.boolean: "true or false",
    ColumnKind.category: "text",
    ColumnKind.date: "dates",
    ColumnKind.time: "times of day",
    ColumnKind.timestamp: "timestamps",
    ColumnKind.duration: "durations",
}
# Confidence in the kind that the type determines if there is no other candidate.
_SURE = 0.98
_LEADING_ZEROS = r"^0\d+$"

Count = Callable[[], Occurrence]


class InferredColumn(NamedTuple):
    """A column and the findings that explain its kind."""

    column: Column
    findings: ColumnFindings


def infer_column(
    name: str, sample: Sample, count: Count, *, nullable: bool, note: str | None = None
) -> InferredColumn:
    """Return a column with the kind that its values, name and type indicate.

    Parameters
    ----------
    count : callable () -> Occurrence
        Function that counts the values of all rows. It is called only if the sample is inconclusive.
    note : str, optional
        An additional reason for the type, which is appended to the evidence.
    """
    findings = sorted(_find(name, sample, count), key=lambda finding: -finding.confidence)
    plain = _plain(sample, doubt=findings[0].confidence if findings else 0.0)
    best = findings[0] if findings else plain
    others = [finding for finding in (*findings[1:], plain) if finding.kind is not best.kind]
    return InferredColumn(
        Column(name=name, kind=best.kind, arrow_type=str(sample.type_), nullable=nullable),
        ColumnFindings(
            evidence="; ".join(_sentences(sample, best, plain, note)),
            confidence=round(best.confidence, 2),
            runner_up=_runner_up(best, others),
        ),
    )


def changed_kind(inferred: InferredColumn, finding: Finding) -> InferredColumn:
    """Return a column with the kind of a finding that is based on several columns."""
    column, before = inferred
    confidence = round(min(1 - finding.confidence, before.confidence), 2)
    return InferredColumn(
        column.model_copy(update={"kind": finding.kind}),
        ColumnFindings(
            evidence=f"{finding.evidence}; {before.evidence}",
            confidence=finding.confidence,
            runner_up=RunnerUp(kind=column.kind, confidence=confidence),
        ),
    )


def _runner_up(best: Finding, others: list[Finding]) -> RunnerUp | None:
    if not others:
        return None
    second = max(others, key=lambda finding: finding.confidence)
    return RunnerUp(kind=second.kind, confidence=round(min(second.confidence, 1 - best.confidence), 2))


def _plain(sample: Sample, *, doubt: float) -> Finding:
    """Return the kind that the type determines. `doubt` is the confidence of the best other candidate."""
    kind = column_kind(sample.type_)
    n, n_missing = sample.n_rows, sample.n_missing
    confidence = 0.5 if n == n_missing or sample.n_present < N_VALUES_MIN else _SURE - 0.5 * doubt
    if n == n_missing:
        return Finding(kind, confidence, f"all {n:,} values are missing")
    if n_missing == 0:
        return Finding(kind, confidence, f"all {n:,} values are {_WORDS[kind]}")
    return Finding(
        kind,
        confidence,
        f"all {n - n_missing:,} non-missing values are {_WORDS[kind]}; "
        + ("1 is missing" if n_missing == 1 else f"{n_missing:,} are missing"),
    )


def _sentences(sample: Sample, best: Finding, plain: Finding, note: str | None) -> list[str]:
    sentences = [best.evidence]
    if best is not plain and sample.n_missing:
        n = sample.n_missing
        sentences.append("1 value is missing" if n == 1 else f"{n:,} values are missing")
    if sample.n_present > 1 and sample.occurrence.n_distinct == 1:
        sampled = "" if sample.occurrence.is_whole else "sampled "
        sentences.append(f"all non-missing {sampled}values are the same")
    sentences += _leading_zeros(sample)
    return sentences + ([note] if note else [])


def _leading_zeros(sample: Sample) -> list[str]:
    if not _is_text(sample.type_):
        return []
    texts = sample.texts()
    n = texts.count(find_matches(texts.distinct, _LEADING_ZEROS))
    are_numerals = texts.share(r"^\d+$") > MOSTLY
    if not n or not are_numerals:
        return []
    return [
        f"{n:,} of {texts.n:,} sampled values have leading zeros, which are kept because the column is text"
    ]


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)


def _find(name: str, sample: Sample, count: Count) -> list[Finding]:
    findings = _find_by_words(headers.words_of(name), sample, count)
    last = name.rpartition(".")[2]
    best = max(findings, key=lambda finding: finding.confidence, default=None)
    if last == name or (best is not None and best.kind in GENERATED_KINDS):
        return findings
    # In a path such as `event.user`, the last part may be clearer than the words of the whole path.
    return _find_by_words(headers.words_of(last), sample, count) or findings


def _find_by_words(words: tuple[str, ...], sample: Sample, count: Count) -> list[Finding]:
    if pa.types.is_integer(sample.type_):
        return find_in_whole_numbers(words, sample, count)
    if pa.types.is_floating(sample.type_) or pa.types.is_decimal(sample.type_):
        return find_in_floats(words, sample)
    return _find_in_texts(words, sample, count) if _is_text(sample.type_) and len(sample.values) else []


def _of_values(texts: CountedTexts, occurrence: Occurrence) -> tuple[CountedTexts, Occurrence]:
    """Exclude placeholders such as `unknown`, which do not indicate the kind of the other values."""
    rest = without_placeholders(texts)
    if rest is texts:
        return texts, occurrence
    n_once = int((texts.counts == 1).sum() - (rest.counts == 1).sum())
    # The counts may cover more rows than the texts.
    n_left_out = round(occurrence.n_counted * (1 - rest.n / texts.n))
    return rest, replace(
        occurrence,
        n_counted=max(occurrence.n_counted - n_left_out, rest.n if occurrence.is_whole else 0),
        n_distinct=max(occurrence.n_distinct - (len(texts.counts) - len(rest.counts)), 0),
        n_once=max(occurrence.n_once - n_once, 0),
        n_shared=max(occurrence.n_shared - n_left_out, 0),
    )


def _with_latin_digits(texts: CountedTexts) -> CountedTexts:
    """Return texts with Latin digits if they have digits of another script."""
    script = find_digits(texts.distinct)
    return texts if script == PLAIN else replace(texts, distinct=script.convert(texts.distinct))


def _find_in_texts(words: tuple[str, ...], sample: Sample, count: Count) -> list[Finding]:
    occurrence = sample.occurrence
    seems_rare = occurrence.share_once > MOSTLY or occurrence.share_shared <= MOSTLY
    if occurrence.n_counted >= N_VALUES_MIN and seems_rare and not occurrence.is_whole:
        # A value that occurs once in the sample may occur often in the table.
        occurrence = count()
    evidence = Evidence(words, *_of_values(_with_latin_digits(sample.texts()), occurrence))
    if not evidence.texts.n or are_public_codes(evidence.texts.distinct.to_pylist(), words):
        return []
    detectors = (
        coded_identifiers.detect_email,
        coded_identifiers.detect_url,
        coded_identifiers.detect_ip,
        coded_identifiers.detect_iban,
        coded_identifiers.detect_card,
        coded_identifiers.detect_national_id,
        *personal.DETECTORS,
        detect_unique,
        detect_message,
        repeated_keys.detect_key,
        detect_handle,
        repeated_keys.detect_unshared,
    )
    findings = [finding for detect in detectors if (finding := detect(evidence))]
    if findings and {finding.kind for finding in findings} <= {ColumnKind.identifier, ColumnKind.text}:
        quantity = detect_quantity(evidence)
        findings = findings if quantity is None else [quantity]
    return findings or repeated_keys.find_doubtful(evidence)
