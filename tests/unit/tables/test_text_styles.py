# ruff: noqa: RUF001 - words in several scripts
"""Tests that CSV samples have the same delimiter, quotation marks and encoding as the source."""

from pathlib import Path

import pytest

from understudy.tables.formats import read_table, write_table
from understudy.tables.formats.csv.encodings import guess_encoding

_ROWS = "".join(f"{city};{i},5\r\n" for i, city in enumerate(["Köln", "Łódź", "Bern"] * 3))


def _written_again(path: Path, data: bytes, suffix: str = ".csv") -> bytes:
    path.write_bytes(data)
    table = read_table(path)
    again = path.with_name(f"again{suffix}")
    write_table(again, table.to_batches(), table.schema)
    return again.read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        "city,n\nBern,1\n" * 1 + "Graz,2\n" * 9,
        '"city";"n"\r\n' + '"Bern";"1"\r\n' * 9,
        '"city","n"\n' + '"Bern",1\n' * 9,
        "city|n\n" + '"a|b"|1\nBern|2\n' * 9,
        "city\tn\r" + "Bern\t1\r" * 9,
        "'city','n'\n" + "'Bern',1\n" * 9,
        'city,n\n"said ""yes""",1\n' + "Graz,2\n" * 9,
        "city,note\n" + 'Graz,""\nBern,x\n' * 9,
        "city,day\n" + "Graz,2021-03-04\n" * 5 + "Graz,\n",
    ],
)
def test_a_file_is_written_in_the_style_of_its_source(tmp_path: Path, text: str):
    assert _written_again(tmp_path / "t.csv", text.encode()).decode() == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (f"\ufeffcity;value\r\n{_ROWS}", "utf-8"),
        (f"\ufeffcity;value\r\n{_ROWS}", "utf-16-le"),
        (f"city;value\r\n{_ROWS}", "utf-16-be"),
        (f"miasto;value\r\n{_ROWS}".replace("Köln", "Kraków"), "cp1250"),
        ("ville;prix\nBesançon;5\nNîmes;7\nOrléans;9\n", "cp1252"),
        ("город;цена\nМосква;5\nКазань;7\nОмск;9\n", "cp1251"),
        ("都道府県,性別\n東京都,男性\n大阪府,女性\n北海道,男性\n", "cp932"),
        ("省份,性别\n北京市,男\n上海市,女\n广东省,男\n", "gb18030"),
        ("시도,성별\n서울,남자\n부산,여자\n대구,남자\n", "cp949"),
        ("시도,면적(㎡)\n□ 서울,남자\n부산,여자\n대구,남자\n", "cp949"),
        ("номер;кем\n" + "".join(f"РТ00-{i:06};Иванов\n" for i in range(40)), "cp1251"),
    ],
)
def test_a_file_is_written_in_the_encoding_of_its_source(tmp_path: Path, text: str, encoding: str):
    data = text.encode(encoding)
    assert _written_again(tmp_path / "t.csv", data) == data


def test_the_suffix_tsv_determines_the_delimiter(tmp_path: Path):
    assert _written_again(tmp_path / "t.csv", b"a;b\nx;1\ny;2\n", ".tsv") == b"a\tb\nx\t1\ny\t2\n"
    assert _written_again(tmp_path / "t.tsv", b"a\tb\nx\t1\ny\t2\n") == b"a,b\nx,1\ny,2\n"


def test_characters_outside_the_encoding_are_replaced(tmp_path: Path):
    (tmp_path / "t.csv").write_bytes("ville;n\nNîmes;1\nOrléans;2\n".encode("cp1252"))
    table = read_table(tmp_path / "t.csv")
    changed = table.set_column(0, table.schema.field(0), [["Łódź", "東京"]])
    write_table(tmp_path / "again.csv", changed.to_batches(), table.schema)
    assert (tmp_path / "again.csv").read_bytes() == b"ville;n\n?\xf3dz;1\n??;2\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Straße;Größe\nMüller;groß\nÜber;schön\n", "cp1252"),
        ("Město;Příjmení\nPlzeň;Dvořák\nÚstí;muž\n", "cp1250"),
        ("Győr;nő\nKőszeg;Üllői út\nÉrd;Öt\n", "cp1250"),
        ("Local;nº\nSão Paulo;ação\nJoão;Conceição\n", "cp1252"),
        ("København;Ærø\nÅrhus;Sørensen\n", "cp1252"),
        ("ГОРОД;ПОЛ\nМОСКВА;М\nКАЗАНЬ;Ж\n", "cp1251"),
        ("Місто;Стать\nКиїв;жін\nЛьвів;чол\n", "cp1251"),
        ("Город;Пол\nМосква;муж\nКазань;жен\n", "koi8-r"),
        ("Πόλη;Φύλο\nΑθήνα;άνδρας\nΘεσσαλονίκη;γυναίκα\n", "cp1253"),
        ("Şehir;Yaş\nİstanbul;kadın\nÇanakkale;doğum\n", "cp1254"),
        ("עיר;מין\nתל אביב;זכר\nחיפה;נקבה\n", "cp1255"),
        ("مدينة;جنس\nالقاهرة;ذكر\nبغداد;أنثى\n", "cp1256"),
        ("Klaipėda;moteris\nŠiauliai;vyras\nPanevėžys;ąžuolas\n", "cp1257"),
        ("กรุงเทพ;ชาย\nเชียงใหม่;หญิง\n", "cp874"),
        ("縣市,性別\n臺北市,男\n高雄市,女\n", "big5"),
        ("Größe;Müller\nÄpfel;schön\n", "cp850"),
        ("price\n5 €\n7 £\n", "cp1252"),
    ],
)
def test_the_encoding_is_guessed_from_the_words(text: str, encoding: str):
    assert text.encode(encoding).decode(guess_encoding(text.encode(encoding)).encoding) == text


def test_warning_about_a_guessed_encoding_contains_the_option(tmp_path: Path):
    from understudy.tables.formats import FORMATS

    (tmp_path / "t.csv").write_bytes("miasto;n\nŁódź;1\nGdańsk;2\n".encode("cp1250"))
    (warning,) = FORMATS["csv"].load(tmp_path / "t.csv").warnings
    assert "Windows-1250" in warning
    assert "`encoding`" in warning
