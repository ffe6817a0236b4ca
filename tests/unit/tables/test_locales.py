"""Tests that the locale of generated names follows from the names of the table."""

from __future__ import annotations

from pathlib import Path

import mimesis
import pandas as pd
import pytest

import understudy
from understudy.tables.inference import wordlists


@pytest.mark.parametrize("locale", ["de", "fr", "pl", "ja", "ru", "pt-br", "en"])
def test_locale_is_inferred_from_names(locale: str) -> None:
    person = mimesis.Person(mimesis.Locale(locale), seed=3)
    table = pd.DataFrame({"full_name": [person.full_name() for _ in range(120)]})
    assert understudy.infer_schema(table).locale == locale


SURNAMES = {
    "ja": "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 佐々木",
    "zh": "王 李 张 刘 陈 杨 赵 黄 周 吴 徐",
    "ko": "김 이 박 최 정 강 조 윤 장 임 한",
}
GIVEN = {
    "ja": "太郎 花子 健一 美咲 翔太 陽子 大輔 由美 直樹 恵子",
    "zh": "伟 芳 娜 秀英 敏 静 丽 强 磊 军",
    "ko": "민준 서연 지훈 서윤 도윤 지우 예준 하은 현우 수빈",
}
LETTERS = {"ja": r"[\u3040-\u30ff\u3005\u4e00-\u9fff]", "zh": r"[\u4e00-\u9fff]", "ko": r"[\uac00-\ud7af]"}


@pytest.mark.parametrize(
    ("locale", "separator"), [("ja", ""), ("ja", "\u3000"), ("zh", ""), ("ko", ""), ("ko", " ")]
)
def test_names_keep_the_script_and_the_separator_of_their_column(locale: str, separator: str) -> None:
    names = [last + separator + first for last in SURNAMES[locale].split() for first in GIVEN[locale].split()]
    table = pd.DataFrame(
        {
            "customer_name": names,
            "contact_name": [f"Anna {name} Smith" for name in "BCDEFGHIJK" * 11],
            "n": range(110),
        }
    )
    schema = understudy.infer_schema(table)
    sampled = understudy.fit(table, schema=schema, seed=1).sample(110, seed=2)
    pattern = f"{LETTERS[locale]}{{1,5}}{separator}{LETTERS[locale]}{{1,5}}"
    assert sampled["customer_name"].str.fullmatch(pattern).all()
    assert not set(sampled["customer_name"]) & set(names)
    assert sampled["contact_name"].str.fullmatch(r"[\w.' -]+").all()
    assert sampled["contact_name"].str.isascii().mean() > 0.9
    if locale != "ko":
        assert wordlists.locale_of_han(sampled["customer_name"]) == locale


def test_phone_numbers_keep_their_calling_code(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"phone": [f"+33 6 {i:02d} 4{i % 9} 11 7{i % 7}" for i in range(90)], "n": range(90)}
    )
    model = understudy.fit(table, seed=1)
    model.save(tmp_path / "model.zip")
    sampled = understudy.load(tmp_path / "model.zip").sample(50, seed=2)["phone"]
    assert sampled.str.startswith("+33").all()


def test_repeated_user_names_identify_entities() -> None:
    users = [
        f"{first}.{last}" for first in ("anna", "max", "jane") for last in ("weber", "smith", "roy", "li")
    ]
    table = pd.DataFrame({"assignee": users * 20, "hours": range(240)})
    sampled = understudy.fit(table, seed=1).sample(240, seed=2)
    assert sampled["assignee"].nunique() <= len(users)
    assert not set(sampled["assignee"]) & set(users)


def test_a_few_names_are_not_evidence_of_a_locale() -> None:
    table = pd.DataFrame({"full_name": ["Jürgen Müller", "Anke Schröder", "Uwe Krüger"] * 9})
    assert understudy.infer_schema(table).locale == "en"


def test_ip_addresses_keep_the_shares_of_private_networks() -> None:
    private = [f"192.168.{i % 3}.{i}" for i in range(1, 81)]
    public = [f"93.184.{i % 7}.{i}" for i in range(1, 121)]
    table = pd.DataFrame({"ip": private + public, "n": range(200)})
    sampled = understudy.fit(table, seed=1).sample(2000, seed=2)["ip"]
    # The tolerance is four standard deviations of a share of 0.4 in 2,000 rows.
    assert sampled.str.startswith("192.168.").mean() == pytest.approx(0.4, abs=0.045)
    assert not set(sampled) & set(table["ip"])


def test_unknown_names_do_not_determine_the_locale() -> None:
    names = [
        f"{start}{end}"
        for start in ("Xqza", "Vrxo", "Kwzu", "Zvyq", "Qxlo")
        for end in ("zx", "qv", "xw", "vz")
    ]
    table = pd.DataFrame({"last_name": names * 6})
    assert understudy.infer_schema(table).locale == "en"
