"""Names of months and days in the languages that date notations support."""

from __future__ import annotations

from collections.abc import Sequence

_LONG = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
}
_SHORT = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "de": "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
    "fr": "janv févr mars avr mai juin juil août sept oct nov déc",
    "es": "ene feb mar abr may jun jul ago sep oct nov dic",
    "it": "gen feb mar apr mag giu lug ago set ott nov dic",
    "pt": "jan fev mar abr mai jun jul ago set out nov dez",
    "nl": "jan feb mrt apr mei jun jul aug sep okt nov dec",
}
_DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "pt": "segunda terça quarta quinta sexta sábado domingo",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
}
_SHORT_DAY_LENGTH = {"de": 2, "nl": 2}

LANGUAGES: tuple[str, ...] = tuple(_LONG)


def month_names(language: str, *, is_short: bool) -> list[str]:
    """Return the names of the months, beginning with January."""
    return (_SHORT if is_short else _LONG)[language].split()


def day_names(language: str, *, is_short: bool) -> list[str]:
    """Return the names of the days, beginning with Monday."""
    days = _DAYS[language].split()
    return [day[: _SHORT_DAY_LENGTH.get(language, 3)] for day in days] if is_short else days


def with_capitals(names: Sequence[str], capitals: str) -> list[str]:
    """Return names in title case, upper case or lower case."""
    change = {"title": str.capitalize, "upper": str.upper, "lower": str.lower}[capitals]
    return [change(name) for name in names]
