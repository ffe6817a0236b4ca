"""People made up by Faker in twelve languages, with headers in theirs, beside columns that are nobody's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any  # of Faker, whose providers are found by name

import pyarrow as pa

N_ROWS = 300

# Of each locale the headers of: full, first and last name, e-mail, phone, street, address, postal code, town,
# national id, IBAN, card, IP address, web address.
HEADERS = {
    "en_US": "full_name,first_name,last_name,email,phone,street,address,zip_code,"
    "city,ssn,iban,credit_card,ip,url",
    "en_GB": "Customer Name,Forename,Surname,E-mail,Telephone,Street,Home Address,Postcode,"
    "Town,NI Number,IBAN,Card Number,IP Address,Website",
    "de_DE": "Kundenname,Vorname,Nachname,E-Mail,Telefonnummer,Straße,Anschrift,PLZ,"
    "Ort,Sozialversicherungsnummer,IBAN,Kreditkartennummer,IP-Adresse,Webseite",
    "de_AT": "kunde_name,vorname,familienname,mail,handy,strasse,adresse,postleitzahl,"
    "wohnort,svnr,kontonummer,kreditkarte,ip_adresse,homepage",
    "fr_FR": "nom complet,prénom,nom de famille,courriel,numéro de téléphone,rue,adresse,code postal,"
    "ville,nir,iban,carte bancaire,adresse ip,site web",
    "es_ES": "nombre completo,nombre de pila,apellidos,correo electrónico,"
    "teléfono,calle,dirección,código postal,"
    "ciudad,dni,iban,tarjeta,dirección ip,sitio web",
    "it_IT": "nome e cognome,nome proprio,cognome,posta elettronica,telefono,via,indirizzo,cap,"
    "città,codice_fiscale,iban,carta di credito,indirizzo ip,sito web",
    "pt_BR": "nome completo,primeiro nome,sobrenome,email,celular,rua,endereço,cep,"
    "cidade,cpf,conta bancária,cartão de crédito,endereço ip,url",
    "nl_NL": "volledige naam,voornaam,achternaam,emailadres,telefoonnummer,straat,adres,postcode,"
    "woonplaats,bsn,rekeningnummer,kaartnummer,ip adres,website",
    "pl_PL": "patient_name,first_name,last_name,email,telefon,street,address,postal_code,"
    "city,pesel,iban,card_number,ip,link",
    "sv_SE": "customer_name,first name,last name,e_mail,mobile,street address,address,postnummer,"
    "stad,personnummer,iban,card no,client_ip,webpage",
    "tr_TR": "employee name,first_name,last_name,email,phone number,street,address,postal code,"
    "city,tckn,iban,credit card number,ip address,url",
}
_PROVIDERS = (
    *("name", "first_name", "last_name", "ascii_free_email", "phone_number", "street_address", "address"),
    *("postcode", "city", "ssn", "iban", "credit_card_number", "ipv4", "uri"),
)
_KINDS = (
    *("name", "name", "name", "email", "phone", "address", "address", "postal_code", "city"),
    *("national_id", "iban", "card", "ip", "url"),
)
_OWN_IDS = {"es_ES": "nif", "pt_BR": "cpf", "pl_PL": "pesel"}


def people(locale: str) -> tuple[pa.Table, dict[str, str]]:
    """Return a table of made-up people and the kind of each column."""
    from faker import Faker

    maker: Any = Faker(locale)
    maker.seed_instance(7)
    rng = random.Random(7)  # noqa: S311 - a benchmark's
    columns: dict[str, list[Any]] = {}
    kinds: dict[str, str] = {}
    headers = HEADERS[locale].split(",")
    for header, provider, kind in zip(headers, _PROVIDERS, _KINDS, strict=True):
        draw = getattr(maker, _OWN_IDS.get(locale, provider) if provider == "ssn" else provider)
        columns[header] = [str(draw()).replace("\n", ", ") for _ in range(N_ROWS)]
        kinds[header] = _kind(kind, columns[header])
    # The same without a word: what values alone must tell.
    for number, source in enumerate((3, 9, 10, 11, 12, 13)):
        header = f"field_{number}"
        columns[header] = columns[headers[source]]
        kinds[header] = _KINDS[source]
    columns |= {"lat": [float(maker.latitude()) for _ in range(N_ROWS)]}
    columns |= {"lon": [float(maker.longitude()) for _ in range(N_ROWS)]}
    kinds |= {"lat": "coordinates", "lon": "coordinates"}
    for header, kind, values in _nobodys(maker, rng):
        columns[header], kinds[header] = values, kind
    return pa.table(columns), kinds


def _kind(kind: str, values: list[str]) -> str:
    """Return the label; towns are categories unless most occur once (the rule of the labels)."""
    if kind != "city":
        return kind
    n_once = sum(values.count(value) == 1 for value in values)
    return "address" if 2 * n_once > len(values) else "category"


def _nobodys(maker: Any, rng: random.Random) -> Iterator[tuple[str, str, list[Any]]]:
    jobs, colours = [maker.job() for _ in range(20)], [maker.color_name() for _ in range(12)]
    products = [f"{colour} {word}" for colour in colours for word in ("Chair", "Lamp", "Table")]
    yield "job", "category", [rng.choice(jobs) for _ in range(N_ROWS)]
    yield "product_name", "category", [rng.choice(products) for _ in range(N_ROWS)]
    yield "phone_type", "category", [rng.choice(["home", "work", "mobile"]) for _ in range(N_ROWS)]
    yield "email_verified", "boolean", [rng.random() < 0.5 for _ in range(N_ROWS)]
    yield "amount", "float", [round(rng.uniform(1, 900), 2) for _ in range(N_ROWS)]
    yield "quantity", "integer", [rng.randint(1, 40) for _ in range(N_ROWS)]
    yield "order_no", "identifier", [f"SO-{number:06}" for number in rng.sample(range(10**6), N_ROWS)]
    yield "version", "category", [f"1.{rng.randint(0, 3)}.{rng.randint(0, 4)}.0" for _ in range(N_ROWS)]
