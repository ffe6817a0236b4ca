"""Propose date patterns for a text, such as `%d-%b-%Y` for `19-Aug-2015`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from understudy.tables.notations.names import LANGUAGES, day_names, month_names

_TIME = re.compile(
    r"(?<!\d)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?P<second>:\d{2})?(?P<fraction>[.,]\d{1,9})?"
    r"(?P<half> ?[AaPp]\.?[Mm]\.?(?![A-Za-z]))?"
)
_HALF = re.compile(r"(?<!\d)(?P<hour>\d{1,2})(?P<half> ?[AaPp][Mm])$")
_FRENCH = re.compile(r"(?<!\d)(?P<hour>\d{1,2})(?P<mark> ?[hH] ?)(?P<minute>\d{2})(?!\d)")
# Time of day without a separator after a date, as in `01.06.2023 0730`.
_PLAIN_CLOCK = re.compile(
    r"(?<=\d[ T])(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<second>[0-5]\d)?(?P<after>[hZ]?)$"
)
_OFFSET = re.compile(r"(?P<blank> ?)(?P<offset>[+-]\d{2}(?P<colon>:?)\d{2}|[+-]\d{2})(?=[ \]]|$)")
_LAST_OFFSET = re.compile(r"(?<=:\d{2} \d{4}) [+-]\d{2}:?\d{2}$")
# Offsets such as `GMT+1`, which are the same for all values and are not converted.
_NAMED_OFFSET = re.compile(r" ?\(?(?:GMT|UTC)[+-]\d{1,2}(?::?\d{2})?\)?$")
# Length of an offset in hours, such as `+02`.
_HOURS_LENGTH = 3
_COMPACT = re.compile(
    r"(?<!\d)(\d{8})(?P<mark>[T _-]?)(?P<clock>\d{6}|\d{4})?(?P<fraction>\.\d{1,9})?(?P<zone>Z?)$"
)
_SPACED_DAY = re.compile("(%[bB])  ?%-d")
# Date of a camera, such as `2023:07:14 05:32:11`, in which colons separate the year, month and day (Exif).
_CAMERA_DATE = re.compile(r"(?:19|20)\d{2}:\d{2}:\d{2}(?=[ T]\d)")
_WEEK = re.compile(r"(?P<year>(?:19|20)\d{2})(?P<mark>[- ]?[Ww])(?P<week>\d{1,2})(?P<day>-?[1-7])?")
_WEEK_FIRST = re.compile(
    r"(?P<before>(?:KW|CW|WK|Wk|Week|week|Woche|Sem|S|W)[ .]?)?"
    r"(?P<week>\d{1,2})(?P<mark>(?(before)[ /.-]|\.? ?KW[ /]))(?P<year>(?:19|20)\d{2})"
)
_QUARTER = re.compile(r"(?<![^\W\d_])(?P<before>[QqTt])(?P<quarter>[1-4])(?!\d)")
_CLOCK = re.compile(r"(?:[01]\d|2[0-3])[0-5]\d")
_ORDINAL = re.compile(r"(?<!\d)(?P<day>\d{1,2})(?:st|nd|rd|th|er)\b")
_RUN = re.compile(r"\d+")
_PARTS = re.compile("[0-9]+|[\ue000\ue100-\ue10f]")
_NAMES = re.compile("[\ue100-\ue10f]")
_LETTERS = re.compile(r"[^\W\d_]+")
# Text that may occur between the parts of a date.
_LITERALS = re.compile(
    r"[\s,./:;_'\[\]\u5e74\u6708\u65e5\ub144\uc6d4\uc77c-]*"
    r"|(?i:\s*(?:T|Z|UTC|GMT|at|de|of|uhr|h|[A-Z]{3,4})\s*)"
)
_N_DAYS_MAX = 366
# Minimum number of runs of digits in a date with a time of day, as in `1 Jun 2023 0730`.
_N_RUNS_BEFORE_CLOCK = 3
_ORDERS = {
    "day_first": ("d", "m", "y"),
    "month_first": ("m", "d", "y"),
    "year_first": ("y", "m", "d"),
    "year_day_first": ("y", "d", "m"),
}


def patterns_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield the patterns that a text may follow, and the language of the names in each pattern.

    The patterns use directives without leading zeros. For example, `%-d` also accepts `05`.
    """
    if len(text) > 48 or not any(character.isdigit() for character in text):
        return
    if week := _WEEK.fullmatch(text):
        yield _week_pattern(week), "en"
        return
    if week := _WEEK_FIRST.fullmatch(text):
        yield f"{week['before'] or ''}%-V{week['mark']}%G", "en"
        return
    if compact := _COMPACT.fullmatch(text):
        yield _compact_pattern(compact), "en"
        return
    if _CLOCK.fullmatch(text):
        yield "%H%M", "en"
        return
    if ordinal := _ORDINAL.search(text):
        yield from _ordinal_patterns(f"{text[: ordinal.end('day')]}{text[ordinal.end() :]}")
        return
    yield from _calendar_patterns(text)


def _ordinal_patterns(plain: str) -> Iterator[tuple[str, str]]:
    """Yield the patterns for a text with an ordinal suffix on the day, given the text without the suffix."""
    for pattern, language in _calendar_patterns(plain):
        is_possible = language in ("en", "fr") and pattern.count("%-d") == 1
        if is_possible and ("%b" in pattern or "%B" in pattern):
            yield pattern.replace("%-d", "%o"), language


def _calendar_patterns(text: str) -> Iterator[tuple[str, str]]:
    offset = _LAST_OFFSET.search(text)
    if offset is None:
        yield from _patterns_without_offset(text)
        return
    # Git and mail programs write the offset after the year.
    for pattern, language in _patterns_without_offset(text[: offset.start()]):
        yield f"{pattern} {'%:z' if ':' in offset[0] else '%z'}", language


def _patterns_without_offset(text: str) -> Iterator[tuple[str, str]]:
    rest, clock = _cut_clock(text.replace("%", "%%"))
    for language in _languages(rest):
        named, names = _cut_names(rest, language)
        if named is None:
            continue
        has_month = "%b" in names or "%B" in names
        for pattern in _date_patterns(named, has_clock=clock is not None, has_month=has_month):
            for place, directive in enumerate(names):
                pattern = pattern.replace(chr(0xE100 + place), directive)
            pattern = pattern.replace("\ue000", clock or "")
            yield pattern, language
            if _SPACED_DAY.search(pattern):
                # Programs such as `date` pad the day with a space.
                yield _SPACED_DAY.sub(r"\1 %e", pattern), language


def _week_pattern(match: re.Match[str]) -> str:
    day = match["day"]
    suffix = "" if day is None else f"{day[:-1]}%u"
    return f"%G{match['mark']}%-V{suffix}"


def _compact_pattern(match: re.Match[str]) -> str:
    clock = {None: "", 4: "%H%M", 6: "%H%M%S"}[len(match["clock"]) if match["clock"] else None]
    fraction = ".%f" if match["fraction"] else ""
    return f"%Y%m%d{match['mark']}{clock}{fraction}{match['zone']}"


def _cut_clock(text: str) -> tuple[str, str | None]:
    """Replace the time of day and the offset with a private-use character, and return their pattern."""
    camera_date = _CAMERA_DATE.match(text)
    start = camera_date.end() if camera_date else 0
    match = _TIME.search(text, start) or _HALF.search(text) or _FRENCH.search(text)
    if match is None:
        return _cut_plain_clock(text)
    groups = match.groupdict()
    half = groups.get("half")
    clock = "%-I" if half else "%-H"
    clock += f"{groups.get('mark', ':')}%M" if groups.get("minute") else ""
    clock += ":%S" if groups.get("second") else ""
    clock += f"{groups['fraction'][0]}%f" if groups.get("fraction") else ""
    if half:
        clock += " %p" if half.startswith(" ") else "%p"
    after = text[match.end() :]
    if offset := _OFFSET.match(after):
        is_short = len(offset["offset"]) == _HOURS_LENGTH
        clock += f"{offset['blank']}{'%:z' if offset['colon'] else '%-z' if is_short else '%z'}"
        after = after[offset.end() :]
    elif named := _NAMED_OFFSET.match(after):
        clock += named[0]
        after = ""
    return f"{text[: match.start()]}\ue000{after}", clock


def _cut_plain_clock(text: str) -> tuple[str, str | None]:
    """Cut off a time of day that follows a date and has no separators, and return its pattern."""
    match = _PLAIN_CLOCK.search(text)
    if match is None or len(_RUN.findall(text)) < _N_RUNS_BEFORE_CLOCK:
        return text, None
    clock = f"%H%M{'%S' if match['second'] else ''}"
    return f"{text[: match.start()]}\ue000{match['after']}", clock


def _languages(text: str) -> list[str]:
    letters = [word.lower() for word in _LETTERS.findall(text)]
    if not letters:
        return ["en"]
    fitting = [language for language in LANGUAGES if not _names_in(language).isdisjoint(letters)]
    return fitting or ["en"]


@cache
def _names_in(language: str) -> frozenset[str]:
    """Return the names of months and days in lower case, including the short names."""
    return frozenset(
        name.lower()
        for is_short in (True, False)
        for name in (*month_names(language, is_short=is_short), *day_names(language, is_short=is_short))
    )


def _cut_names(text: str, language: str) -> tuple[str | None, list[str]]:
    """Replace names of months and days with private-use characters, and return their directives."""
    directives: list[str] = []
    tables = {
        "b": month_names(language, is_short=True),
        "B": month_names(language, is_short=False),
        "a": day_names(language, is_short=True),
        "A": day_names(language, is_short=False),
    }

    def replaced(match: re.Match[str]) -> str:
        word = match[0].lower()
        for directive, names in tables.items():
            if word in (name.lower() for name in names):
                directives.append(f"%{directive}")
                return chr(0xE100 + len(directives) - 1)
        return match[0]

    named = _LETTERS.sub(replaced, text)
    months = [d for d in directives if d in ("%b", "%B")]
    if len(months) > 1 or len(directives) - len(months) > 1:
        return None, []
    return named, directives


def _date_patterns(text: str, *, has_clock: bool, has_month: bool) -> Iterator[str]:
    """Yield the patterns for a text with private-use characters in place of the time and the names.

    Parameters
    ----------
    has_month : bool
        Whether one of the names is the name of a month.
    """
    if quarter := _QUARTER.search(text):
        year = _RUN.search(text.replace(quarter[0], "", 1))
        if year and len(year[0]) == 4 and len(_RUN.findall(text)) == 2:
            replaced = text.replace(quarter[0], f"{quarter['before']}\ue200", 1).replace(year[0], "%Y", 1)
            yield replaced.replace("\ue200", "%q")
        return
    if not all(_LITERALS.fullmatch(part) for part in _PARTS.split(text)):
        return
    runs = [match[0] for match in _RUN.finditer(text)]
    if not runs:
        if has_clock and not _NAMES.search(text):
            yield text
        return
    for fields in _assignments(runs, has_month=has_month):
        pieces = _RUN.split(text)
        yield "".join(piece + field for piece, field in zip(pieces, (*fields, ""), strict=True))


def _assignments(runs: list[str], *, has_month: bool) -> Iterator[tuple[str, ...]]:
    """Yield the directives that runs of digits may represent."""
    lengths = [len(run) for run in runs]
    years = [i for i, length in enumerate(lengths) if length == 4]
    if lengths == [4, 3] and not has_month and 0 < int(runs[1]) <= _N_DAYS_MAX:
        yield "%Y", "%j"
    if len(years) > 1 or any(length not in (1, 2, 4) for length in lengths):
        return
    if has_month:
        yield from _named_assignments(lengths, years)
    elif len(runs) == 2 and years:
        yield tuple("%Y" if i == years[0] else "%-m" for i in range(2))
    elif len(runs) == 3:
        yield from _numeric_assignments(lengths, years)


def _named_assignments(lengths: list[int], years: list[int]) -> Iterator[tuple[str, ...]]:
    if years:
        if len(lengths) <= 2:
            yield tuple("%Y" if i == years[0] else "%-d" for i in range(len(lengths)))
    elif len(lengths) == 2:
        if lengths[1] == 2:
            yield "%-d", "%y"
        if lengths[0] == 2:
            yield "%y", "%-d"
    elif lengths == [2]:
        yield ("%y",)


def _numeric_assignments(lengths: list[int], years: list[int]) -> Iterator[tuple[str, ...]]:
    for order in _ORDERS.values():
        place = order.index("y")
        if years and years[0] != place:
            continue
        if not years and lengths[place] != 2:
            continue
        year = "%Y" if years else "%y"
        yield tuple(year if field == "y" else f"%-{field}" for field in order)
