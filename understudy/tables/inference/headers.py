"""What the words of a column's name say, in seven languages.

A phrase is said if its words stand beside each other in the name, or together as one word: `post code`
is said by `postCode`, `POST_CODE` and `postcode`. Accents do not matter.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

Phrases = tuple[str, ...]


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a column's name in small letters: `customerFirst_name2` has three."""
    parted = re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).casefold()
    return tuple(re.findall(r"[^\W\d_]+", _plain(parted)))


def _plain(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


def says(words: tuple[str, ...], known: Phrases) -> bool:
    """Return whether one of the phrases is said."""
    line = f" {' '.join(words)} "
    return any(f" {phrase} " in line or phrase.replace(" ", "") in words for phrase in known)


def phrases(text: str) -> Phrases:
    """Return the phrases of a list with commas."""
    return tuple(_plain(" ".join(phrase.split()).casefold()) for phrase in text.split(","))


EMAIL = phrases(
    """email, e mail, mail, mails, emails, email address, mail address, correo, correo electronico,
    courriel, adresse courriel, mailadresse, emailadresse, e mailadresse, posta elettronica, correio
    eletronico, emailadres"""
)
PHONE = phrases(
    """phone, phones, phone number, telephone, tel, mobile, mobile number, cell, cell phone, fax,
    telefon, telefonnummer, handy, handynummer, mobilnummer, rufnummer, telefono, numero de telefono,
    celular, movil, telefone, telemovel, portable, numero de telephone, cellulare, telefoonnummer,
    telefoon, gsm, msisdn, whatsapp, mobil"""
)
FIRST = phrases(
    """first name, firstname, forename, given name, vorname, prenom, nombre de pila, nombres, primer
    nombre, nome proprio, primeiro nome, voornaam, fname, middle name, middle initial"""
)
LAST = phrases(
    """last name, lastname, surname, family name, nachname, familienname, nom de famille, apellido,
    apellidos, cognome, sobrenome, apelido, achternaam, lname, maiden name, geburtsname, nom de
    naissance"""
)
FULL = phrases(
    """full name, person name, customer name, patient name, employee name, client name, user full name,
    contact name, name of person, nom complet, nombre completo, nome completo, nome e cognome, volledige
    naam, vollstandiger name, nom et prenom, nombre y apellidos, vor und nachname, cardholder, card
    holder, kontoinhaber, karteninhaber, ansprechpartner, sachbearbeiter"""
)
# A bare word for a name, which may be that of anything.
NAME = phrases("""name, nom, nombre, nome, naam, names, namen""")
PEOPLE = phrases(
    """full, person, customer, client, patient, employee, contact, student, member, owner, teacher,
    doctor, physician, author, buyer, seller, guest, passenger, driver, applicant, recipient,
    cardholder, holder, manager, tenant, donor, kunde, kunden, kundin, mitarbeiter, patientin, schuler,
    empfanger, cliente, paciente, empleado, dipendente, paziente, employe, salarie, funcionario, klant,
    werknemer, medewerker, beneficiary, beneficiario, insured, subscriber, nurse, spouse, parent, child,
    mother, father, witness, suspect, victim, emergency contact, player, artist, director, actor,
    sender, reviewer, user, account holder, borrower"""
)
# Words for people that stand for their name where the values are names.
PERSON_ALONE = phrases(
    """person, customer, client, patient, employee, contact, student, owner, teacher, doctor, physician,
    author, buyer, seller, guest, passenger, driver, applicant, recipient, cardholder, holder, manager,
    tenant, donor, kunde, mitarbeiter, cliente, paciente, empleado, dipendente, paziente, employe,
    klant, beneficiary, reviewer, assignee, reporter, salesperson, sales rep, nurse, spouse, witness,
    inhaber, empfanger, composer,
    artist, director, actor, singer, inventor, investigator"""
)
CITY = phrases(
    """city, town, stadt, ort, wohnort, ville, ciudad, citta, cidade, stad, woonplaats, commune,
    municipality"""
)
STATE = phrases(
    """state, province, county, bundesland, provincia, provincie, estado, departement, region name"""
)
COUNTRY = phrases("""country, land, pays, pais, paese, nation, country name""")
STREET = phrases(
    """street, street name, street address, address, addresses, addr, address line, adresse, anschrift,
    strasse, rue, calle, direccion, direcao, indirizzo, endereco, rua, via, adres, straat, straatnaam,
    domicilio, hausanschrift, wohnadresse, lieferadresse, rechnungsadresse, morada, logradouro"""
)
NO_ADDRESS = phrases(
    """ip, mac, email, e mail, mail, web, url, wallet, memory, host, node, street type, bit"""
)
POSTAL_CODE = phrases(
    """zip, zip code, zipcode, postcode, post code, postal code, postalcode, postal, plz, postleitzahl,
    code postal, codigo postal, codice postale, cep, cap, cp, cod postal, postnummer, postnr, zip postal
    code, billing zip, pincode, pin code"""
)
# Of the words for postal codes those that also mean other things.
POSTAL_DOUBTFUL = frozenset({"cap", "cp", "postal", "pin"})
IP = phrases(
    """ip, ip address, ip addr, ipv, ipaddr, client ip, remote addr, remote address, source ip, src ip,
    dst ip, host ip, adresse ip, ip adresse, direccion ip, indirizzo ip, endereco ip, ip adres"""
)
URL = phrases(
    """url, uri, link, website, web site, webpage, homepage, href, web page, webseite, site web, sitio
    web, sito, web"""
)
CARD = phrases(
    """card number, card no, card num, credit card, creditcard, credit card number, cc number, cc num,
    ccn, debit card, pan, payment card, kreditkarte, kreditkartennummer, kartennummer, carte bancaire,
    carte de credit, numero de carte, tarjeta, numero de tarjeta, tarjeta de credito, carta di credito,
    numero carta, cartao, numero do cartao, cartao de credito, creditcardnummer, kaartnummer"""
)
IBAN = phrases(
    """iban, bank account, account number, account no, bank account number, kontonummer, bankverbindung,
    konto, compte bancaire, numero de compte, cuenta bancaria, numero de cuenta, conto corrente, numero
    conto, conta bancaria, numero da conta, rekeningnummer, bankrekening"""
)
NATIONAL_ID = phrases(
    """ssn, social security, social security number, social security no, social insurance, sin, national
    id, national identity, national identification, national insurance, national insurance number, ni
    number, nino, tax id, taxid, tin, taxpayer id, itin, steuer id, steuerid, steuernummer,
    steueridentifikationsnummer, idnr, steuer identifikationsnummer, sozialversicherungsnummer, sv
    nummer, svnr, rentenversicherungsnummer, personalausweis, personalausweisnummer, ausweisnummer,
    ausweis, passport, passport number, passport no, reisepass, passeport, pasaporte, passaporto,
    passaporte, paspoort, dni, nie, nif, cpf, rg, nir, insee, numero de securite sociale, securite
    sociale, numero secu, seguridad social, codice fiscale, cod fiscale, codfisc, codice fiscale
    cliente, pesel, bsn, burgerservicenummer, personnummer, personal identity number, personal number,
    fodselsnummer, cpr, cpr nummer, henkilotunnus, hetu, curp, rfc, aadhaar, aadhar, pan number, nhs
    number, nhs no, medicare number, driver license, drivers license, driver licence, driving licence,
    license number, licence number, driver license number, fuhrerschein, fuhrerscheinnummer, permis de
    conduire, permiso de conducir, patente di guida, identity number, identity card, citizen id, rut,
    run, cedula, rodne cislo, cnp, egn, oib, ahv, ahv nummer, amka, tckn, tc kimlik,
    rijksregisternummer, numero de identidad, carta d identita, carte d identite, documento de
    identidad, documento identidad, numero documento, numero de contribuinte, contribuinte, rijbewijs,
    snils, inn, tfn, tax file number, health insurance number, krankenversicherungsnummer,
    versichertennummer, medical record number, mrn"""
)
# Short words that mean other things as well: numbers alone are no evidence beside them.
NATIONAL_DOUBTFUL = frozenset({"sin", "tin", "nie", "rg", "nir", "run", "inn", "rut", "cpr", "pan", "rfc"})
LATITUDE = phrases(
    """lat, latitude, breitengrad, geo lat, latitud, latitudine, breedtegraad, geograph breite, geo
    breite"""
)
LONGITUDE = phrases(
    """lon, lng, long, longitude, langengrad, laengengrad, geo lon, geo lng, longitud, longitudine,
    lengtegraad, geograph lange, geo laenge"""
)
PLACE = phrases(
    """coordinates, coordinate, coords, coord, latlon, lat lon, latlng, lat lng, geo, location, gps,
    koordinaten, geopoint, position"""
)
# Beside these words a header speaks of a property of what it names: `email_verified`, `phone_type`.
PROPERTY = phrases(
    """type, typ, tipo, count, n, num of, status, flag, verified, valid, is, has, opt, optin, length,
    rating, score, domain, provider, format, quality, available, confirmed, price, cost, calls, minutes,
    usage, plan, service, brand, model, size, population, area, density, rate, income, code count, kind,
    category, width, height, age, years, date, time, sent, opened, clicks, bounced, score, lines, only,
    support, contract"""
)
IDENTIFIER = frozenset(
    phrases("id, ids, key, uuid, guid, nr, no, num, number, identifier, nummer, numero, codigo")
)
# Numbers that count time or places also differ and are close together, and mean something.
TIME = phrases(
    """year, years, month, day, days, week, weeks, hour, hours, minute, minutes, second, seconds,
    quarter, date, time, period, age, lag, step, rank, ranking, position, jahr, monat, tag, annee, ano,
    mes, anno, jaar"""
)


@lru_cache(maxsize=4096)
def name_form(words: tuple[str, ...]) -> str | None:
    """Return first, last, full, or name where it may be that of anything; None if no name is announced."""
    if says(words, FIRST):
        return "first"
    if says(words, LAST):
        return "last"
    has_name = says(words, NAME) or any(word.endswith(("name", "naam")) for word in words)
    # As German and Dutch write it: kundenname, patientnaam.
    stems = tuple(re.sub(r"(?:name|naam)$", "", word) for word in words)
    if says(words, FULL) or (has_name and (says(words, PEOPLE) or says(stems, PEOPLE))):
        return "full"
    return "name" if len(words) == 1 and words[0] in NAME else None


def address_form(words: tuple[str, ...]) -> str | None:
    """Return which part of an address is announced, or None; a whole address is announced as a street."""
    if says(words, NO_ADDRESS):
        return None
    forms = {"city": CITY, "postal_code": POSTAL_CODE, "state": STATE, "country": COUNTRY, "street": STREET}
    form = next((form for form, known in forms.items() if says(words, known)), None)
    return None if form in ("city", "state", "country") and "code" in words else form


def says_property(words: tuple[str, ...]) -> bool:
    """Return whether a property of what is named is announced, not the thing."""
    return says(words, PROPERTY)


def says_postal_code(words: tuple[str, ...]) -> bool:
    """Return whether postal codes are announced, by a word that means nothing else."""
    return says(words, tuple(p for p in POSTAL_CODE if p not in POSTAL_DOUBTFUL))


def says_identifier(words: tuple[str, ...]) -> bool:
    """Return whether identifiers are announced."""
    return bool(words) and (words[-1] in IDENTIFIER or words[0] == "id")


def says_time(words: tuple[str, ...]) -> bool:
    """Return whether numbers are announced that count time, age or rank."""
    return says(words, TIME)
