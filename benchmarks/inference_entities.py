"""Made-up tables with several rows per person or thing, and the kind of each column.

For each table, this module contains the correct kinds of the columns and the columns that form a correct
subject. The tables in `SET_ASIDE` were written before the rules of inference, and no rule was tuned on them.
"""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

import pyarrow as pa

Values = list[Any]
Labelled = dict[str, tuple[str, Values]]

_FIRST = [
    "Anna",
    "Bert",
    "Carla",
    "David",
    "Elena",
    "Frank",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Karin",
    "Lars",
    "Maria",
    "Nils",
    "Olga",
    "Paul",
]
_LAST = [
    "Adler",
    "Brandt",
    "Conrad",
    "Dietrich",
    "Engel",
    "Fischer",
    "Graf",
    "Huber",
    "Jansen",
    "Keller",
    "Lorenz",
    "Maurer",
    "Neumann",
]
_WORDS = [
    "order",
    "late",
    "box",
    "broken",
    "please",
    "refund",
    "again",
    "line",
    "screen",
    "slow",
    "reset",
    "login",
    "invoice",
    "wrong",
    "price",
    "second",
    "cable",
    "returned",
    "manual",
    "missing",
    "page",
    "error",
    "after",
    "update",
    "paid",
    "twice",
    "call",
    "back",
    "never",
    "arrived",
    "new",
    "address",
]


class EntityTable(NamedTuple):
    """A made-up table, the kind of each column, and the columns that form a correct subject."""

    name: str
    rows: pa.Table
    kinds: dict[str, str]
    subjects: tuple[str, ...]


def _names(rng: random.Random, n: int) -> list[str]:
    everyone = [f"{first} {last}" for first in _FIRST for last in _LAST]
    return rng.sample(everyone, n)


def _skewed(rng: random.Random, n_entities: int, n_rows: int) -> list[int]:
    """Return the entity of each row. A few entities have many rows."""
    return [min(int(rng.paretovariate(1.1)) - 1, n_entities - 1) % n_entities for _ in range(n_rows)]


def _even(rng: random.Random, n_entities: int, n_each: int) -> list[int]:
    return [i for i in range(n_entities) for _ in range(n_each)]


def _of(values: Values, owners: list[int]) -> Values:
    return [values[owner] for owner in owners]


def _choices(rng: random.Random, levels: Values, n: int) -> Values:
    return rng.choices(levels, k=n)


def _code(rng: random.Random, pattern: str) -> str:
    """Return a random code: 9 is a digit, A a capital letter, x a hexadecimal digit."""
    alphabets = {"9": string.digits, "A": string.ascii_uppercase, "x": "0123456789abcdef"}
    return "".join(rng.choice(alphabets[c]) if c in alphabets else c for c in pattern)


def _codes(rng: random.Random, pattern: str, n: int) -> Values:
    codes: set[str] = set()
    while len(codes) < n:
        codes.add(_code(rng, pattern))
    return sorted(codes, key=lambda code: rng.random())


def _days(rng: random.Random, first: date, n_days: int, n: int) -> Values:
    return [first + timedelta(days=rng.randrange(n_days)) for _ in range(n)]


def _shop_orders(rng: random.Random) -> Labelled:
    owners = [rng.randrange(250) for _ in range(600)]
    lines = [o for o in range(600) for _ in range(rng.randint(1, 4))]
    n = len(lines)
    emails = [f"{name.lower().replace(' ', '.')}@mail.test" for name in _names(rng, 200)] + [
        f"user{i}@mail.test" for i in range(50)
    ]
    skus = _codes(rng, "AA-9999", 40)
    products = [f"{a} {b}" for a in ("Blue", "Red", "Oak") for b in ("Chair", "Lamp", "Desk", "Shelf")]
    items = _choices(rng, list(range(12)), n)
    return {
        "order_id": ("identifier", [500_100 + 3 * line for line in lines]),
        "customer_id": ("identifier", [90_000 + 17 * owners[line] for line in lines]),
        "customer_email": ("email", [emails[owners[line]] for line in lines]),
        "sku": ("category", _of(skus, items)),
        "product_name": ("category", _of(products, items)),
        "currency": ("category", _choices(rng, ["EUR", "USD", "GBP"], n)),
        "quantity": ("integer", [rng.randint(1, 6) for _ in range(n)]),
        "unit_price": ("float", [round(rng.uniform(2, 90), 2) for _ in range(n)]),
    }


def _clinical_visits(rng: random.Random) -> Labelled:
    owners = _even(rng, 70, 6)
    n = len(owners)
    subjects = [f"S{1 + i % 7:02d}-{100 + i}" for i in range(70)]
    born = _days(rng, date(1940, 1, 1), 18_000, 70)
    return {
        "SUBJID": ("identifier", _of(subjects, owners)),
        "SITEID": ("category", [f"S{1 + i % 7:02d}" for i in owners]),
        "VISIT": ("category", [["Screening", "Baseline", "W2", "W4", "W8", "W12"][i % 6] for i in range(n)]),
        "VISITNUM": ("integer", [1 + i % 6 for i in range(n)]),
        "SEX": ("category", _of(_choices(rng, ["F", "M"], 70), owners)),
        "BRTHDTC": ("date", _of(born, owners)),
        "AEDECOD": ("category", _choices(rng, ["Headache", "Nausea", "Fatigue", "None"], n)),
        "ICD10": ("category", _choices(rng, ["E11.9", "I10", "J45.0", "K21.9", "M54.5"], n)),
        "ALT_U_L": ("float", [round(rng.lognormvariate(3, 0.4), 1) for _ in range(n)]),
    }


def _web_log(rng: random.Random) -> Labelled:
    owners = _skewed(rng, 60, 900)
    n = len(owners)
    addresses = [f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}" for _ in range(60)]
    users = [f"{first[0].lower()}{last.lower()}" for first, last in (x.split() for x in _names(rng, 60))]
    agents = [f"Mozilla/5.0 ({os}) Chrome/{v}.0" for os in ("Win10", "Linux", "Mac") for v in (119, 120)]
    return {
        "client_ip": ("ip", _of(addresses, owners)),
        "username": ("identifier|name", _of(users, owners)),
        "method": ("category", _choices(rng, ["GET", "POST", "PUT"], n)),
        "status_code": ("integer", _choices(rng, [200, 301, 404, 500], n)),
        "path": ("category", _choices(rng, ["/", "/cart", "/login", "/items", "/help"], n)),
        "user_agent": ("category", _choices(rng, agents, n)),
        "bytes": ("integer", [rng.randrange(200, 90_000) for _ in range(n)]),
    }


def _bank(rng: random.Random) -> Labelled:
    owners = _skewed(rng, 90, 1200)
    n = len(owners)
    accounts = [int(_code(rng, "49999999")) for _ in range(90)]
    payees = _names(rng, 80)
    return {
        "account_number": ("identifier", _of(accounts, owners)),
        "holder": ("name", _of(_names(rng, 90), owners)),
        "payee_name": ("name", _choices(rng, payees, n)),
        "transaction_type": ("category", _choices(rng, ["SEPA", "CARD", "ATM", "FEE"], n)),
        "mcc": ("integer", _choices(rng, [5411, 5812, 4111, 5999], n)),
        "branch_code": ("category", _choices(rng, ["B01", "B02", "B07", "B11"], n)),
        "amount": ("float", [round(rng.lognormvariate(3, 1), 2) for _ in range(n)]),
    }


def _survey_waves(rng: random.Random) -> Labelled:
    owners = _even(rng, 60, 3)
    n = len(owners)
    return {
        "respondent": ("identifier", [i + 1 for i in owners]),
        "wave": ("integer", [1 + i % 3 for i in range(n)]),
        "age": ("integer", _of([rng.randint(18, 90) for _ in range(60)], owners)),
        "region": ("category", _of(_choices(rng, ["North", "South", "East", "West"], 60), owners)),
        "birth_year": ("integer", _of([rng.randint(1930, 2004) for _ in range(60)], owners)),
        "q1": ("integer", [rng.randint(1, 5) for _ in range(n)]),
        "q2": ("integer", [rng.randint(1, 5) for _ in range(n)]),
        "score": ("integer", [rng.randint(0, 100) for _ in range(n)]),
    }


def _taxi(rng: random.Random) -> Labelled:
    owners = [rng.randrange(120) for _ in range(1500)]
    n = len(owners)
    return {
        "medallion": ("identifier", _of(_codes(rng, "x" * 32, 120), owners)),
        "hack_license": ("identifier", _of(_codes(rng, "x" * 32, 120), owners)),
        "plate": ("identifier", _of(_codes(rng, "AA-999-AA", 120), owners)),
        "vendor_id": ("category", _choices(rng, ["CMT", "VTS"], n)),
        "rate_code": ("integer", _choices(rng, [1, 1, 1, 2, 5], n)),
        "passenger_count": ("integer", [rng.randint(1, 6) for _ in range(n)]),
        "payment_type": ("category", _choices(rng, ["CSH", "CRD", "DIS"], n)),
        "fare": ("float", [round(rng.lognormvariate(2.3, 0.5), 1) for _ in range(n)]),
    }


def _time_sheets(rng: random.Random) -> Labelled:
    owners = _even(rng, 45, 12)
    n = len(owners)
    return {
        "Personalnummer": ("identifier", [10_000 + 13 * i for i in owners]),
        "Mitarbeiter": ("name", _of(_names(rng, 45), owners)),
        "Kostenstelle": ("integer", _of(_choices(rng, [4100, 4200, 4300], 45), owners)),
        "Abteilung": ("category", _of(_choices(rng, ["Vertrieb", "Lager", "IT"], 45), owners)),
        "Datum": ("date", _days(rng, date(2024, 1, 1), 300, n)),
        "Stunden": ("float", [round(rng.uniform(1, 9), 1) for _ in range(n)]),
        "Jahr": ("integer", _choices(rng, [2023, 2024], n)),
    }


def _devices(rng: random.Random) -> Labelled:
    owners = _even(rng, 40, 25)
    n = len(owners)
    return {
        "device_id": ("identifier", _of(_codes(rng, "xx:xx:xx:xx:xx:xx", 40), owners)),
        "firmware_version": ("category", _choices(rng, ["1.4.2", "1.5.0", "2.0.1"], n)),
        "sensor_type": ("category", _choices(rng, ["DHT22", "BME280"], n)),
        "station_code": ("category", _of(_choices(rng, ["ST01", "ST02", "ST03"], 40), owners)),
        "battery_pct": ("integer", [rng.randint(1, 100) for _ in range(n)]),
        "temperature": ("float", [round(rng.gauss(20, 4), 1) for _ in range(n)]),
    }


def _longitudinal(rng: random.Random) -> Labelled:
    owners = _even(rng, 40, 5)
    n = len(owners)
    return {
        "id": ("identifier", [i + 1 for i in owners]),
        "time": ("integer", [i % 5 for i in range(n)]),
        "group": ("category", _of(_choices(rng, ["placebo", "drug"], 40), owners)),
        "y": ("float", [round(rng.gauss(0, 1), 3) for _ in range(n)]),
    }


def _products(rng: random.Random) -> Labelled:
    owners = _even(rng, 80, 10)
    n = len(owners)
    return {
        "product_id": ("category", _of(_codes(rng, "P99999", 80), owners)),
        "brand": ("category", _of(_choices(rng, ["Acme", "Zeta", "Orion"], 80), owners)),
        "store_id": ("integer", _choices(rng, list(range(1, 21)), n)),
        "category_id": ("integer", _of(_choices(rng, list(range(1, 13)), 80), owners)),
        "week": ("integer", [1 + i % 10 for i in range(n)]),
        "zip_area": ("category", _choices(rng, ["10", "20", "30"], n)),
        "units": ("integer", [rng.randrange(50) for _ in range(n)]),
    }


def _library(rng: random.Random) -> Labelled:
    owners = _skewed(rng, 150, 900)
    n = len(owners)
    titles = [f"The {a} of {b}" for a in ("House", "Art", "End", "Sea") for b in ("Winter", "Glass", "Rome")]
    books = _choices(rng, list(range(12)), n)
    return {
        "borrower_no": ("identifier", _of(_codes(rng, "L-9999999", 150), owners)),
        "borrower_name": ("name", _of(_names(rng, 150), owners)),
        "isbn": ("category", _of(_codes(rng, "978-9-99999-999-9", 12), books)),
        "title": ("category", _of(titles, books)),
        "branch": ("category", _choices(rng, ["Central", "Harbour", "West"], n)),
        "renewals": ("integer", [rng.randrange(4) for _ in range(n)]),
        "loan_date": ("date", _days(rng, date(2023, 1, 1), 600, n)),
    }


def _school(rng: random.Random) -> Labelled:
    owners = _even(rng, 80, 7)
    n = len(owners)
    courses = ["MATH101", "BIO120", "HIST210", "ART105", "PHYS130", "GEO110", "ENG100"]
    return {
        "student_id": ("identifier", [20_230_000 + i for i in owners]),
        "last_name": ("name", _of([x.split()[1] for x in _names(rng, 80)], owners)),
        "course_code": ("category", [courses[i % 7] for i in range(n)]),
        "subject": ("category", [["Maths", "Biology", "History", "Art"][i % 4] for i in range(n)]),
        "teacher": ("name", _choices(rng, _names(rng, 14), n)),
        "grade": ("integer", [rng.randint(1, 6) for _ in range(n)]),
        "school_year": ("integer", _choices(rng, [2021, 2022, 2023], n)),
    }


def _claims(rng: random.Random) -> Labelled:
    owners = [rng.randrange(200) for _ in range(800)]
    n = len(owners)
    return {
        "policy_number": ("identifier", _of(_codes(rng, "PL99999999", 200), owners)),
        "claim_no": ("identifier", [f"C{2024_0000 + i // 2}" for i in range(n)]),
        "registration": ("identifier", _of(_codes(rng, "AA99 AAA", 200), owners)),
        "make": ("category", _of(_choices(rng, ["Ford", "VW", "Kia", "Fiat"], 200), owners)),
        "model_code": ("category", _of(_choices(rng, ["F10", "G20", "K07", "P33"], 200), owners)),
        "cause_code": ("category", _choices(rng, ["T01", "T02", "W11", "F05"], n)),
        "paid": ("float", [round(rng.lognormvariate(6, 1), 2) for _ in range(n)]),
    }


def _help_desk(rng: random.Random) -> Labelled:
    owners = [rng.randrange(250) for _ in range(250)]
    rows = [i for i in range(250) for _ in range(rng.randint(2, 4))]
    n = len(rows)
    comments = [" ".join(rng.choices(_WORDS, k=rng.randint(6, 14))) for _ in range(250)]
    return {
        "ticket_id": ("identifier", [f"INC-{7000 + i}" for i in rows]),
        "requester_email": ("email", [f"person{owners[i]}@firm.test" for i in rows]),
        "description": ("text", _of(comments, rows)),
        "priority": ("category", _choices(rng, ["P1", "P2", "P3", "P4"], n)),
        "queue": ("category", _choices(rng, ["Network", "Desktop", "Billing"], n)),
        "reopened": ("integer", [rng.randrange(3) for _ in range(n)]),
    }


def _games(rng: random.Random) -> Labelled:
    sessions = [str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(160)]
    owners = [rng.randrange(160) for _ in range(1600)]
    n = len(owners)
    players = [f"{rng.choice(_WORDS)}{rng.choice(_WORDS)}{rng.randrange(100)}" for _ in range(70)]
    return {
        "session": ("identifier", _of(sessions, owners)),
        "player_handle": ("identifier", [players[i % 70] for i in owners]),
        "level": ("integer", [rng.randint(1, 30) for _ in range(n)]),
        "score": ("integer", [rng.randrange(10_000) for _ in range(n)]),
        "platform": ("category", _choices(rng, ["ps5", "pc", "switch"], n)),
        "build": ("category", _choices(rng, ["1.0.33", "1.0.34", "1.1.0"], n)),
    }


def _hospital_french(rng: random.Random) -> Labelled:
    owners = [rng.randrange(120) for _ in range(700)]
    n = len(owners)
    return {
        "id_patient": ("identifier", [100_000 + 31 * i for i in owners]),
        "date_naissance": ("date", _of(_days(rng, date(1930, 1, 1), 25_000, 120), owners)),
        "sexe": ("category", _of(_choices(rng, ["F", "H"], 120), owners)),
        "code_cim10": ("category", _choices(rng, ["I10", "E11", "J44", "N18"], n)),
        "service": ("category", _choices(rng, ["Cardiologie", "Urgences", "Chirurgie"], n)),
        "duree_sejour": ("integer", [rng.randrange(1, 25) for _ in range(n)]),
    }


def _airline(rng: random.Random) -> Labelled:
    bookings = [i for i in range(400) for _ in range(rng.randint(1, 4))]
    n = len(bookings)
    everyone = _names(rng, 200)
    return {
        "pnr": ("identifier", _of(_codes(rng, "AAAAAA", 400), bookings)),
        "passenger": ("name", _choices(rng, everyone, n)),
        "flight_no": ("category", _choices(rng, ["LH400", "LH401", "OS88", "LX16", "UA91"], n)),
        "origin": ("category", _choices(rng, ["FRA", "VIE", "ZRH"], n)),
        "dest": ("category", _choices(rng, ["JFK", "ORD", "EWR", "BOS"], n)),
        "tail_number": ("identifier", _choices(rng, _codes(rng, "D-AAAA", 25), n)),
        "cabin": ("category", _choices(rng, ["Y", "C", "F"], n)),
        "bag_count": ("integer", [rng.randrange(3) for _ in range(n)]),
    }


def _air_quality(rng: random.Random) -> Labelled:
    owners = _even(rng, 30, 36)
    n = len(owners)
    return {
        "station_id": ("category", [f"DEBE{i:03d}" for i in owners]),
        "country_code": ("category", _of(_choices(rng, ["DE", "AT", "PL", "FR"], 30), owners)),
        "year": ("integer", [2020 + i % 3 for i in range(n)]),
        "month": ("integer", [1 + i % 12 for i in range(n)]),
        "pollutant": ("category", _choices(rng, ["PM10", "PM2.5", "NO2", "O3"], n)),
        "unit": ("category", ["ug/m3"] * n),
        "value": ("float", [round(rng.lognormvariate(3, 0.6), 2) for _ in range(n)]),
    }


def _calls(rng: random.Random) -> Labelled:
    owners = _skewed(rng, 110, 1300)
    n = len(owners)
    return {
        "subscriber_id": ("identifier", _of(_codes(rng, "262019999999999", 110), owners)),
        "imei": ("identifier|national_id|card", _of(_codes(rng, "35999999999999", 110), owners)),
        "cell_code": ("category", _choices(rng, ["C101", "C102", "C115", "C201", "C240"], n)),
        "direction": ("category", _choices(rng, ["in", "out"], n)),
        "duration_s": ("integer", [int(rng.expovariate(0.01)) for _ in range(n)]),
        "tariff": ("category", _choices(rng, ["S", "M", "L"], n)),
    }


def _panel_of_countries(rng: random.Random) -> Labelled:
    countries = [
        "Norway",
        "Chile",
        "Ghana",
        "Japan",
        "Peru",
        "Spain",
        "India",
        "Kenya",
        "Italy",
        "Laos",
        "Malta",
        "Nepal",
    ]
    owners = _even(rng, 12, 15)
    n = len(owners)
    return {
        "country": ("category", _of(countries, owners)),
        "iso3": ("category", _of([c[:3].upper() for c in countries], owners)),
        "year": ("integer", [2005 + i % 15 for i in range(n)]),
        "pop": ("integer", [rng.randrange(10**6, 10**8) for _ in range(n)]),
        "gdp": ("float", [round(rng.lognormvariate(9, 1), 1) for _ in range(n)]),
        "rank": ("integer", [rng.randint(1, 190) for _ in range(n)]),
    }


_TABLES: dict[str, tuple[Callable[[random.Random], Labelled], tuple[str, ...]]] = {
    "shop_orders": (_shop_orders, ("customer_id", "customer_email")),
    "clinical_visits": (_clinical_visits, ("SUBJID",)),
    "web_log": (_web_log, ("username", "client_ip")),
    "bank": (_bank, ("account_number", "holder")),
    "survey_waves": (_survey_waves, ("respondent",)),
    "taxi": (_taxi, ("hack_license", "medallion", "plate")),
    "time_sheets": (_time_sheets, ("Personalnummer", "Mitarbeiter")),
    "devices": (_devices, ("device_id",)),
    "longitudinal": (_longitudinal, ("id",)),
    "products": (_products, ()),
    "library": (_library, ("borrower_no", "borrower_name")),
    "school": (_school, ("student_id",)),
    "claims": (_claims, ("policy_number", "registration")),
    "help_desk": (_help_desk, ("requester_email", "ticket_id")),
    "games": (_games, ("player_handle", "session")),
    "hospital_french": (_hospital_french, ("id_patient",)),
    "airline": (_airline, ("passenger", "pnr")),
    "air_quality": (_air_quality, ()),
    "calls": (_calls, ("subscriber_id", "imei")),
    "panel_of_countries": (_panel_of_countries, ()),
}
SET_ASIDE = tuple(_TABLES)[10:]


def entity_tables() -> Iterator[EntityTable]:
    """Yield the tables. The name of a table is the seed of its rows."""
    for name, (make, subjects) in _TABLES.items():
        labelled = make(random.Random(name))  # noqa: S311 - not a secret
        rows = pa.table({column: values for column, (_, values) in labelled.items()})
        yield EntityTable(name, rows, {column: kind for column, (kind, _) in labelled.items()}, subjects)
