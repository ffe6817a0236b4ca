"""Codes of days, times of day and directions, which are public because all of their values are known.

Without separators, such codes look like codes of individual people or things: `0703` for the 7th of March,
`0930` for half past nine, `045` for the north-east.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache

# Minimum number of different codes. Fewer codes can be valid by chance.
N_CODES_MIN = 40
# Number of minutes in a day, each of which can be a code.
N_CODES_MAX = 1440
# Minimum number of different first halves. Consecutive numbers such as 0001 to 0059 are not times of day.
N_FIRST_MIN = 8
_DAYS_OF_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DIRECTION_WORDS = frozenset(
    (
        *("bearing", "heading", "hdg", "azimuth", "course", "cog", "direction", "dir", "angle", "winddir"),
        *(
            "track",
            "kurs",
            "peilung",
            "azimut",
            "cap",
            "rumbo",
            "rotta",
            "richtung",
            "windrichtung",
            "degrees",
        ),
        *("wdir", "deg", "aspect", "yaw", "orientation"),
    )
)


def are_public_codes(texts: Iterable[object], words: Collection[str]) -> bool:
    """Return whether all texts are days without a year, times of day, or directions in degrees.

    Parameters
    ----------
    texts : iterable of str
        Distinct texts.
    words : collection of str
        Words of the column name. Numbers such as `045` count as directions only if these words indicate
        directions.
    """
    codes = set()
    for text in texts:
        if not isinstance(text, str) or len(text) not in (3, 4) or not (text.isascii() and text.isdigit()):
            return False
        codes.add(text)
    if len(codes) < N_CODES_MIN:
        return False
    if _DIRECTION_WORDS & set(words) and codes <= _directions():
        return True
    if len({code[:2] for code in codes}) < N_FIRST_MIN:
        return False
    return any(codes <= public for public in _days_and_times())


@lru_cache(maxsize=1)
def _directions() -> frozenset[str]:
    return frozenset(f"{degrees:03d}" for degrees in range(361))


@lru_cache(maxsize=1)
def _days_and_times() -> tuple[frozenset[str], ...]:
    """Return the days with the day first, the days with the month first, and the times of day."""
    days = [(day, month) for month, n in enumerate(_DAYS_OF_MONTHS, start=1) for day in range(1, n + 1)]
    return (
        frozenset(f"{day:02d}{month:02d}" for day, month in days),
        frozenset(f"{month:02d}{day:02d}" for day, month in days),
        frozenset(f"{hour:02d}{minute:02d}" for hour in range(24) for minute in range(60)),
    )
