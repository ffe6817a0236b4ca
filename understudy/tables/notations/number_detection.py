"""Detect the affixes, separators and negative numbers in the notation of a numeric column."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.casting import count_unfit
from understudy.tables.notation import SCALES, NumberNotation
from understudy.tables.notations.clues import Clues, Detected, Tally, Texts
from understudy.tables.notations.numbers import regex, unify_separators
from understudy.tables.notations.samples import SampledTexts, tally

# Minimum share of the sampled values that must have the same prefix and suffix.
_SHARE_MIN = 0.5
# A column contains codes if at least this share of its sampled values are digits with a leading zero.
_SHARE_CODES_MIN = 0.02
# If at most this share of the sampled values has a scale letter, and the letter is always the same, the
# letter is ignored.
_SHARE_SCALES_MAX = 0.05
# Minimum number of distinct decimal numbers with leading zeros. Fewer of them can be version numbers.
_N_PADDED_MIN = 5
# Maximum number of decimals in a notation.
_DECIMALS_MAX = 18

_PARTS = re.compile(
    r"(?P<opening>\()?(?P<sign>[-+\u2212])?(?P<prefix>(?:[^\d\s.,()+\u2212-]{1,5}\.?)?[ \u00a0\u202f]?)"
    r"(?P<inner>[-+\u2212(])?"
    r"(?P<core>[.,]?\d(?:[\d.,' \u00a0\u202f\u2009\u2019]*\d)?[.,]?(?:[eE][-+]?\d{1,3})?)"
    r"(?P<suffix>[ \u00a0\u202f]?[^\d()]{0,20}?)(?P<trailing>[-\u2212])?(?P<closing>\))?"
)
_CURRENCY_SIGNS = "$€£¥₹₽₩₺₫₴₦₱฿₪₡₲₵"
_CURRENCIES = re.compile(
    rf"(?:[A-Z]{{1,3}})?[{_CURRENCY_SIGNS}]|USD|EUR|GBP|CHF|JPY|CNY|RMB|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF"
    r"|RON|BGN|RUB|TRY|ZAR|BRL|MXN|ARS|CLP|COP|PEN|KRW|SGD|HKD|TWD|THB|IDR|MYR|PHP|VND|ILS|AED|SAR|EGP|NGN|KES"
    r"|UAH|[元円圓원]|kr\.?|Kr\.?|Rs\.?|Fr\.?|SFr\.?|zł|Kč|Ft|lei|R"
)
_UNITS = re.compile(
    r"%|‰|°|°C|°F|[kKmMgGT]?B|[kKMG]iB|[kmcµu]?g|mg|kg|lbs?|oz|t|[kmcµn]?m|mm|cm|km|ft|in|mi|yd|\"|'|[mc]?[lL]|dl"
    r"|[kMG]?Hz|[kMG]?W|[kM]?Wh|[mk]?V|m?A|mAh|mph|km/h|kph|m/s|kt|[nmµ]?s|min|h|hrs?|d|yrs?|y|px|bp|bps|[kMG]bps"
    r"|m²|km²|m2|ft²|sqft|m³|cc|hp|PS|bhp|kn|rpm|psi|[kh]?Pa|bar|kcal|cal|k?J|[x\u00d7]|ppm|ppb|dB|mmHg|bpm|mol|mmol/L"
    r"|mg/dL|g/dL|USD|EUR"
)
# Patterns of separators, including their unusual forms; see `unify_separators`.
_MARKS = {",": ",", ".": r"\.", " ": "[ \u00a0\u202f\u2009]", "'": "['\u2019]"}
# Digits with a leading zero that are not a decimal number, such as `089` or `089 123 456`.
_ZERO_FIRST = re.compile(r"0\d*(?:[ '\u00a0\u202f\u2009\u2019]\d+)*(?:\.\d{3}(?:\.\d{3})+)?")
# Numbered labels such as `1. Term`.
_NUMBERED = re.compile(r"\d+\.[ \u00a0]?[^\W\d_]")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)\D(?=\d)")
# Digits in pairs and a group of three, as in 12,34,567.
_IN_PAIRS = re.compile(r"(?<!\d)\d{1,2}(?:,\d{2})+,\d{3}(?!\d)")
_WORD_AFTER_BLANK = re.compile(r"[^\W\d_][\w/²³°.%-]{0,15}(?: [^\W\d_]{1,12})?")
_POINT_CURRENCIES = re.compile(r"(?:[A-Z]{1,3})?[$£¥₹]|USD|GBP|AUD|CAD|INR|JPY|CNY|Rs\.?")


UNCLEAR_COMMAS = "it is unclear whether commas are decimal or thousands separators (set the option `decimal`)"
"""Message about numbers in which each comma can be a decimal or a thousands separator."""


class _Affixes(NamedTuple):
    """The constant text before and after the digits of a column."""

    prefix: str
    suffix: str
    scales: tuple[str, ...]
    negative: str
    plus: bool


@dataclass
class _Candidate:
    """A notation, with counts of the values that follow it and of their properties."""

    notation: NumberNotation
    tally: Tally = field(default_factory=Tally)
    n_with_mark: int = 0
    n_grouped: int = 0
    n_with_exponent: int = 0
    lengths: set[int] = field(default_factory=set)
    decimals: set[int] = field(default_factory=set)
    scale_decimals: dict[str, set[int]] = field(default_factory=dict)
    is_whole: bool = True

    def fits(self, texts: pa.Array[Any]) -> pa.Array[Any]:
        """Count properties of the values, and return whether each is a number in this notation."""
        extracted: Any = pc.extract_regex(unify_separators(texts), regex(self.notation))
        is_match: pa.Array[Any] = extracted.is_valid()
        names = [extracted.type.field(i).name for i in range(extracted.type.num_fields)]
        fields = dict(zip(names, extracted.flatten(), strict=True))
        digits: Any = fields["digits"].drop_null()
        if len(digits):
            self._count(digits)
        for scale in ("", *self.notation.scales) if self.notation.scales else ():
            own: Any = fields["digits"].filter(pc.equal(fields["scale"], pa.scalar(scale)))
            if len(own):
                self.scale_decimals.setdefault(scale, set()).update(self._count_decimals(own))
        return is_match

    def _count(self, digits: Any) -> None:
        mark, thousands = self.notation.decimal, self.notation.thousands
        self.n_with_exponent += _count(digits, "e") + _count(digits, "E")
        length: Any = pc.binary_length(digits)
        self.n_with_mark += _count(digits, mark)
        self.decimals |= self._count_decimals(digits)
        self.n_grouped += _count(digits, thousands) if thousands else 0
        sizes: Any = pc.min_max(length).as_py()
        self.lengths |= {sizes["min"], sizes["max"]}
        if self.is_whole and not self.n_with_mark and not self.n_with_exponent:
            plain = pc.replace_substring(digits, thousands, "") if thousands else digits
            self.is_whole = count_unfit(plain, pa.int64(), 1) == 0

    def _count_decimals(self, digits: Any) -> set[int]:
        """Return the lowest and the highest number of decimals, without the digits of exponents."""
        if self.n_with_exponent:
            digits = pc.replace_substring_regex(digits, "[eE].*", "")
        place: Any = pc.find_substring(digits, self.notation.decimal)
        has_mark = pc.greater_equal(place, pa.scalar(0, place.type))
        after = pc.if_else(has_mark, pc.subtract(pc.subtract(pc.binary_length(digits), place), 1), 0)
        ends: Any = pc.min_max(after).as_py()
        return {ends["min"], ends["max"]}

    def decimals_of_scales(self) -> dict[str, Any]:
        """Return the number of decimals with each scale, as fields of the notation."""
        known = self.scale_decimals
        names = [*self.notation.scales, *([""] if "" in known else [])]
        decimals = tuple(min(_DECIMALS_MAX, max(known.get(name, {0}))) for name in names)
        trims_zeros = any(len(own) > 1 for own in known.values())
        return {"scale_decimals": decimals, "trims_zeros": trims_zeros}

    @property
    def is_code_like(self) -> bool:
        """Whether the values may be codes, because they consist of grouped digits of equal length."""
        has_affix = self.notation.prefix or self.notation.suffix
        is_grouped = self.notation.thousands in (" ", ".") and not self.n_with_mark
        return is_grouped and len(self.lengths) == 1 and not has_affix

    @property
    def arrow_type(self) -> pa.DataType:
        """The smallest type that can represent all values."""
        is_scaled = len(self.notation.scales) > 1 or (self.notation.scales and self.n_with_mark)
        is_integer = not self.n_with_mark and not self.n_with_exponent and self.is_whole and not is_scaled
        return pa.int64() if is_integer else pa.float64()


def _count(values: Any, mark: str) -> int:
    return pc.sum(pc.match_substring(values, mark).cast(pa.int64())).as_py() or 0


def detect_numbers(sample: SampledTexts, texts: Texts, clues: Clues) -> Detected | None:
    """Return the number notation that matches the most values, or None if no notation matches."""
    affixes = _find_affixes(sample)
    if affixes is None or (_are_codes(sample, affixes) and not clues.is_coerced):
        return None
    if affixes.suffix and all(map(_NUMBERED.match, sample.values)):
        return None
    width = _padded_width(sample, has_unit=bool(affixes.suffix))
    grouping = "indian" if any(map(_IN_PAIRS.search, sample.values)) else "thousands"
    candidates = [
        _checked(notation.model_copy(update={"width": width, "grouping": grouping}), texts())
        for notation in _notations(affixes, clues, _marks_in(texts()))
    ]
    n_fitting = max(candidate.tally.n_fitting for candidate in candidates)
    if n_fitting == 0:
        return None
    best = _distinct([c for c in candidates if c.tally.n_fitting == n_fitting])
    if not affixes.suffix and _may_be_phones(sample, best, affixes):
        return None
    prefers_point = clues.prefers_point or _POINT_CURRENCIES.fullmatch(affixes.prefix.strip())
    if len(best) > 1 and prefers_point:
        best = [candidate for candidate in best if candidate.notation.decimal == "."] or best
    detected = _detected(best, clues)
    marks = {
        "thousands": _most_frequent_separator(sample, best[0].notation),
        "minus": "\u2212" if any("\u2212" in value for value in sample.values) else "-",
    }
    return replace(detected, notation=detected.notation.model_copy(update=marks))


def _may_be_phones(sample: SampledTexts, best: list[_Candidate], affixes: _Affixes) -> bool:
    """Return whether a plus sign before whole numbers may indicate telephone numbers.

    Some telephone numbers in a column, such as `+48 502 430 306` and `505 975 303`, may lack the plus sign.
    """
    if any(candidate.n_with_mark for candidate in best):
        return False
    firsts = {value[0] for value in sample.values}
    is_grouped = all(c.n_grouped and c.notation.thousands in (" ", ".") for c in best) and not affixes.prefix
    return affixes.plus or ("+" in firsts and is_grouped and not firsts & set("-\u2212("))


def _most_frequent_separator(sample: SampledTexts, notation: NumberNotation) -> str | None:
    """Return the form of the thousands separator that occurs most often, such as a no-break space."""
    forms = {" ": " \u00a0\u202f\u2009", "'": "'\u2019"}.get(notation.thousands or "", "")
    counts = Counter(
        mark for value in sample.values for mark in _BETWEEN_DIGITS.findall(value) if mark in forms
    )
    return counts.most_common(1)[0][0] if counts else notation.thousands


def _detected(best: list[_Candidate], clues: Clues) -> Detected:
    chosen = best[0]
    is_given = clues.thousands is not None or (clues.decimal, chosen.notation.thousands) == (",", ".")
    question = None
    if len(best) > 1:
        question = UNCLEAR_COMMAS
    elif chosen.is_code_like and not is_given:
        question = (
            "groups of digits of equal length may be codes (set the option `thousands` to read numbers)"
        )
    is_fixed = len(chosen.decimals) == 1 and not chosen.n_with_exponent
    decimals = max(chosen.decimals) if is_fixed and max(chosen.decimals) <= _DECIMALS_MAX else None
    has_scales = decimals is None and bool(chosen.notation.scales) and not chosen.n_with_exponent
    own = chosen.decimals_of_scales() if has_scales or "" in chosen.scale_decimals else {}
    notation = chosen.notation.model_copy(update={"decimals": decimals, **own})
    return Detected(
        notation,
        chosen.arrow_type,
        chosen.tally,
        _words_of(notation, has_mark=chosen.n_with_mark > 0),
        question,
        tuple(f"decimal {other.notation.decimal!r}" for other in best[1:]),
    )


def _checked(notation: NumberNotation, texts: Iterable[pa.Array[Any]]) -> _Candidate:
    candidate = _Candidate(notation)
    candidate.tally = tally(texts, candidate.fits, is_date=False)
    return candidate


def _are_codes(sample: SampledTexts, affixes: _Affixes) -> bool:
    """Return whether several values have leading zeros, such as postal codes and telephone numbers."""
    if affixes.prefix or affixes.suffix:
        return False
    n_codes = sum(
        count
        for value, count in zip(sample.values, sample.counts, strict=True)
        if len(value) > 1 and _ZERO_FIRST.fullmatch(value)
    )
    return n_codes >= max(2, _SHARE_CODES_MIN * sample.n)


def _padded_width(sample: SampledTexts, *, has_unit: bool) -> int:
    """Return the number of digits before the decimal separator, or 0 if decimal numbers are not padded.

    Whole numbers with leading zeros are numbers only if they have a unit, as in `045°`.
    """
    wholes: list[str] = []
    for value in sample.values:
        match = _PARTS.fullmatch(value)
        parts = re.split("[.,]", match["core"]) if match else []
        if len(parts) == 1 and not has_unit:
            return 0
        wholes += parts[:1]
    padded = [len(whole) for whole in wholes if whole.startswith("0") and len(whole) > 1]
    if len(padded) < _N_PADDED_MIN or len(set(padded)) > 1:
        return 0
    return padded[0] if padded[0] == min(map(len, wholes)) else 0


def _marks_in(texts: Iterable[pa.Array[Any]]) -> frozenset[str]:
    """Return the separators that occur in at least one value."""
    absent = dict(_MARKS)
    for values in texts:
        for mark, pattern in list(absent.items()):
            if pc.any(pc.match_substring_regex(values, pattern)).as_py():
                del absent[mark]
        if not absent:
            break
    return frozenset(_MARKS) - frozenset(absent)


def _notations(affixes: _Affixes, clues: Clues, marks: frozenset[str]) -> Iterator[NumberNotation]:
    """Yield the notations that can have different results for values with the given separators."""
    has_comma = "," in marks or clues.decimal == "," or clues.thousands == "."
    for decimal in (".", ","):
        for thousands in (None, ",", ".", " ", "'"):
            fits = (
                thousands != decimal
                and clues.decimal in (None, decimal)
                and (clues.thousands in (None, thousands) or thousands is None)
                and clues.thousands != decimal
                and (thousands is None or thousands in marks)
                # If the values contain no comma, a decimal comma and a decimal point yield the same numbers.
                and (decimal == "." or has_comma or thousands == ".")
            )
            if fits:
                yield NumberNotation(decimal=decimal, thousands=thousands, **affixes._asdict())


def _distinct(candidates: list[_Candidate]) -> list[_Candidate]:
    """Remove candidates that are equivalent to another candidate because their separator never occurs."""
    possible = [c for c in candidates if c.notation.thousands is None or c.n_grouped]
    whole = [candidate for candidate in possible if not candidate.n_with_mark]
    marks = {candidate.notation.thousands for candidate in whole}
    return [candidate for candidate in possible if candidate.n_with_mark] + [
        next(candidate for candidate in whole if candidate.notation.thousands == mark)
        for mark in sorted(marks, key=str)
    ]


def _find_affixes(sample: SampledTexts) -> _Affixes | None:
    """Return the most frequent prefix and suffix of the sampled values, or None if most are not numbers."""
    votes: Counter[tuple[str, str]] = Counter()
    signs: Counter[str] = Counter()
    scales: Counter[str] = Counter()
    for value, count in zip(sample.values, sample.counts, strict=True):
        match = _PARTS.fullmatch(value)
        if match is None or (bool(match["opening"]) or match["inner"] == "(") != bool(match["closing"]):
            continue
        suffix, scale = _cut_scale(match["suffix"])
        scales[scale] += count
        votes[match["prefix"], suffix] += count
        signs.update({_sign_style(match): count})
    if not votes:
        return None
    (prefix, suffix), n = votes.most_common(1)[0]
    kept = _scales(scales, prefix, sample)
    if kept is None:
        return None
    if n < _SHARE_MIN * sample.n or not (_is_prefix(prefix) and _is_suffix(suffix)):
        return None
    styles = ("parentheses", "parentheses_after_prefix", "trailing_minus", "minus_after_prefix")
    negative = next((style for style in styles if signs[style]), "minus")
    return _Affixes(prefix, suffix, kept, negative, plus=signs["plus"] > 0 and signs["none"] == 0)


def _cut_scale(suffix: str) -> tuple[str, str]:
    """Split a suffix into the text after the scale and the scale itself."""
    if suffix in SCALES:
        return "", suffix
    for scale in ("K", "k", "M", "B"):
        if suffix.startswith(scale) and _CURRENCIES.fullmatch(suffix[1:].strip()):
            return suffix[1:], scale
    return suffix, ""


def _scales(scales: Counter[str], prefix: str, sample: SampledTexts) -> tuple[str, ...] | None:
    """Return the scales in use, or None if a single letter probably belongs to a code such as `12B`."""
    used = tuple(sorted((scale for scale in scales if scale), key=lambda scale: SCALES[scale]))
    if not used or (prefix.strip() and len(used) <= 6):
        return used
    if len(used) > 1 or used[0] in ("K", "k", "mn", "mio", "Mio", "bn", "Bn"):
        return used
    if scales[used[0]] <= _SHARE_SCALES_MAX * sample.n:
        # A few codes such as `12B` among other numbers are not amounts.
        return ()
    return used if any("." in value or "," in value for value in sample.values) else None


def _sign_style(match: re.Match[str]) -> str:
    if match["opening"]:
        return "parentheses"
    if match["inner"] == "(":
        return "parentheses_after_prefix"
    if match["trailing"]:
        return "trailing_minus"
    if match["inner"] and match["prefix"].strip():
        return "minus_after_prefix" if match["inner"] != "+" else "plus"
    sign = match["sign"] or match["inner"]
    return "none" if not sign else "plus" if sign == "+" else "minus"


def _is_prefix(prefix: str) -> bool:
    return not prefix or _CURRENCIES.fullmatch(prefix.strip()) is not None


def _is_suffix(suffix: str) -> bool:
    text = suffix.strip()
    if not text:
        return suffix == ""
    if _CURRENCIES.fullmatch(text) or _UNITS.fullmatch(text):
        return True
    return (
        suffix != text and _WORD_AFTER_BLANK.fullmatch(text) is not None and text.lower() not in ("am", "pm")
    )


def _words_of(notation: NumberNotation, *, has_mark: bool) -> str:
    """Return a description of the notation for a column's evidence."""
    names = {",": "commas", ".": "points", " ": "spaces", "'": "apostrophes"}
    words = []
    if has_mark or notation.thousands:
        mark = "comma" if notation.decimal == "," else "point"
        between = f" and {names[notation.thousands]} between thousands" if notation.thousands else ""
        words.append(f"a decimal {mark}{between}")
    around = [repr(text) for text in (notation.prefix, *notation.scales, notation.suffix) if text]
    if around:
        words.append(" and ".join(around))
    if notation.negative.startswith("parentheses"):
        words.append("negative numbers in parentheses")
    return f"written with {', '.join(words)}" if words else ""
