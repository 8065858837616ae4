"""Proposals over a loaded book: what a bank is told, and what it is not told of another's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from settlement.engine import near
from settlement.engine.duplicates import Match
from settlement.services.duplicates import known
from tests.integration.book import AT
from tests.integration.planted import A2, B1, Planted

pytestmark = pytest.mark.django_db


@pytest.fixture
def book(tmp_path: Path) -> Planted:
    return Planted(tmp_path)


def proposed(book: Planted) -> list[Match]:
    book.post()
    return list(near.proposals(known(as_of=AT.date())))


def test_a_note_entered_at_another_bank_with_a_slip(book: Planted) -> None:
    one = book.enterprise()
    for number in ("JK-2026-0031", "JK-2026-0032", "JK-2026-0033"):
        book.note(one, number, contract="HT-2026-000777", amount=10_800_000)
    book.note(one, "JK-2026-O032", at=B1, contract="ZX-7", drawn="2026-02-03", amount=10_800_000)
    (match,) = proposed(book)
    assert (match.rule, match.severity, match.article) == (
        "N2", "proposal", "财金〔2026〕4号 一(三)",
    )  # fmt: skip
    assert match.key == ("C0001320100001/JK-2026-0032", "C0011320100001/JK-2026-O032")
    assert match.yields == match.notes[1:]
    assert match.scheme_code == "central-sme-2026"
    assert match.evidence == {
        "matched_by": "near",
        "score_permille": 900,
        "agree": ["amount", "terms", "loan_type"],
        "near": ["number:look_alike", "day:close", "place:other_bank"],
        "differ": [],
        "ask": ["C0001110000000"],
    }
    assert not list(match.costs({}))
    assert [match.said[note]["contract_fen"] for note in match.notes] == [1_080_000_000] * 2


def test_one_enterprise_under_two_names_and_codes(book: Planted) -> None:
    first = book.enterprise("南京华东机械有限公司")
    second = book.enterprise("南京市華東機械有限責任公司")
    book.note(first, "JK-2026-0031")
    book.note(second, "7712", at=B1, drawn="2026-04-02", yuan=1_000_000)
    (match,) = proposed(book)
    assert (match.rule, match.key) == ("N3", tuple(sorted((first, second))))
    assert match.evidence["agree"] == ["core", "form", "region"]
    assert match.evidence["score_permille"] == 700
    assert match.said[match.yields[0]] == {"names": ["南京市華東機械有限責任公司"]}
    told = json.dumps([match.evidence, match.said[match.yields[0]]], ensure_ascii=False)
    assert "华东" not in told and "JK-2026-0031" not in told and first not in told


def test_an_invoice_listed_again_by_a_stranger_with_a_letter_for_a_digit(book: Planted) -> None:
    one, other = book.enterprise(), book.enterprise()
    book.note(one, "A")
    book.note(other, "B", at=B1, yuan=2_000_000, drawn="2026-03-02")
    book.note(other, "C", at=A2, yuan=700_000, drawn="2026-03-02")
    book.invoice("A", "26322000000000123450", supplier="南京宏达设备有限公司")
    book.invoice("B", "2632200000000012345O", supplier="南京宏達設備有限責任公司", at=B1)
    book.invoice("C", "26322000000000124350", supplier="南京宏达设备有限公司", at=A2)
    (match,) = proposed(book)
    assert (match.rule, match.severity) == ("N5", "proposal")
    assert match.key == ("C0001320100001/A", "C0011320100001/B")
    assert match.evidence == {
        "matched_by": "near",
        "score_permille": 980,
        "agree": ["amount", "day", "supplier"],
        "near": ["number:look_alike"],
        "differ": [],
        "ask": ["C0001110000000"],
        "by": "invoice_number",
    }
    assert "123450" not in json.dumps(match.said[match.yields[0]])
    assert match.said[match.yields[0]]["near"] == "2632200000000012345O"


def test_what_the_exact_rules_have_and_what_only_looks_alike_is_not_proposed(book: Planted) -> None:
    one, sister = book.enterprise("样例机械12有限公司"), book.enterprise("样例机械13有限公司")
    for count in range(1, 6):
        book.note(one, f"JK-2026-003{count}", contract="HT-2026-000777", amount=18_000_000)
        book.note(sister, f"JK-2026-003{count}", at=B1, contract="HT-9", amount=18_000_000)
    book.note(one, "JK20260031", at=B1, contract="HT-10")  # P2
    assert proposed(book) == []
