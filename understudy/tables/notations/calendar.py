"""Calendar arithmetic on arrays: convert the fields of dates to days since 1970, and days to fields."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

DAY_SECONDS = 86_400


class Days(NamedTuple):
    """Days since 1970-01-01, and whether each day comes from a valid calendar date."""

    values: Whole
    is_valid: Flags


def days_of_date(year: Whole, month: Whole, day: Whole) -> Days:
    """Return dates as days since 1970. All arrays have shape (n,)."""
    is_month = (month >= 1) & (month <= 12) & (year >= 1) & (year <= 9999)
    months = np.where(is_month, (year - 1970) * 12 + month - 1, 0)
    first = months.astype("M8[M]").astype("M8[D]").astype(np.int64)
    following = (months + 1).astype("M8[M]").astype("M8[D]").astype(np.int64)
    return Days(first + day - 1, is_month & (day >= 1) & (day <= following - first))


def days_of_year_day(year: Whole, day: Whole) -> Days:
    """Return ordinal dates as days since 1970. The first day of a year is 1."""
    first = days_of_date(year, np.ones_like(year), np.ones_like(year))
    following = days_of_date(year + 1, np.ones_like(year), np.ones_like(year))
    is_day = (day >= 1) & (day <= following.values - first.values)
    return Days(first.values + day - 1, first.is_valid & is_day)


def days_of_week_date(year: Whole, week: Whole, weekday: Whole) -> Days:
    """Return ISO 8601 week dates as days since 1970."""
    first = _first_monday(year)
    n_weeks = (_first_monday(year + 1) - first) // 7
    is_valid = (year >= 1) & (year <= 9998) & (week >= 1) & (week <= n_weeks)
    return Days(first + 7 * (week - 1) + weekday - 1, is_valid & (weekday >= 1) & (weekday <= 7))


def _first_monday(year: Whole) -> Whole:
    """Return the Monday of week 1, which is the week that contains 4 January."""
    fourth = days_of_date(year, np.ones_like(year), np.full_like(year, 4)).values
    return fourth - weekday_of(fourth)


def weekday_of(days: Whole) -> Whole:
    """Return the weekday for days since 1970. Monday is 0."""
    weekdays: Whole = (days + 3) % 7
    return weekdays


class Date(NamedTuple):
    """The fields of dates, as arrays of shape (n,)."""

    year: Whole
    month: Whole
    day: Whole


def date_of_days(days: Whole) -> Date:
    """Return the dates for days since 1970."""
    dates = days.astype("M8[D]")
    months = dates.astype("M8[M]")
    number = months.astype(np.int64)
    return Date(number // 12 + 1970, number % 12 + 1, days - months.astype("M8[D]").astype(np.int64) + 1)


def week_date_of_days(days: Whole) -> tuple[Whole, Whole]:
    """Return the ISO 8601 year and week for days since 1970."""
    thursday = days - weekday_of(days) + 3
    year = date_of_days(thursday).year
    return year, (thursday - _first_monday(year)) // 7 + 1
