"""Money entered by hand: what finance paid ahead, and what the bank makes good."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from config.kernel.models import Institution, Role
from loans.models import ImportBatch, PreAllocation
from settlement.models import Fund, LedgerEntry, MadeGood, Receipt, ReceiptRefusal
from settlement.services import clawbacks
from settlement.services.clawbacks import Claim, Ground
from settlement.services.verification import verify
from tests.integration.book import AT, run
from tests.integration.small_book import FIRST, TREE, SmallBook
from tests.integration.steps import (
    address,
    become,
    choose,
    confirm,
    everything,
    faults,
    send,
    taken,
)
from tests.integration.test_admin import person, url, web  # noqa: F401
from tests.integration.test_clawbacks import move
from tests.integration.test_postings import balances

pytestmark = pytest.mark.django_db

PRE, MADE = "loans.preallocation", "settlement.madegood"


@pytest.fixture
def small(tmp_path: Path) -> SmallBook:
    """One note, two collections of 1,000 yuan each, advanced by the bank."""
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST)
    for month in (2, 3):
        book.collect("A", month)
    run()
    with connection.cursor() as cursor:
        cursor.execute("DISCARD TEMP")  # the owner's; a test is one transaction for every role
    return book


@pytest.fixture
def bank(small: SmallBook) -> Institution:
    return Institution.objects.get(code=TREE[0][0])


@pytest.fixture
def maker(bank: Institution, web: Any) -> Any:
    return web(person(Role.MAKER, bank, "zhang"))


@pytest.fixture
def checker(bank: Institution, web: Any) -> Any:
    return web(person(Role.CHECKER, bank, "li"))


def enter(client: Any, **changes: str) -> Any:
    data = {
        "scheme_code": "test", "institution_code": TREE[0][0], "tier": "municipal",
        "purpose": "interest", "document_number": "财预1号", "received_on": "2026-01-04",
        "amount": "３,０００.５０",
    }  # fmt: skip
    return send(client, PRE, "enter", **{**data, **changes})


def test_a_pre_allocation_is_entered_by_one_and_booked_by_another(maker: Any, checker: Any) -> None:
    assert taken(enter(maker))
    row = PreAllocation.objects.get()
    assert (row.amount_fen, row.document_number, str(row.received_on)) == (
        300_050, "财预1号", "2026-01-04",
    )  # fmt: skip
    batch = ImportBatch.objects.get()
    assert (batch.actor, batch.rows, batch.inserted, batch.file_name) == (
        "zhang", 1, 1, "后台录入 / by hand",
    )  # fmt: skip
    listed = maker.get(url("loans.importbatch")).content.decode()
    assert "后台录入" in listed and "by hand" not in listed
    assert balances() == {"subsidy_applied": 2_000, "bank_advance": -2_000}
    posted = LedgerEntry.objects.count()
    page = checker.get(address(PRE, "book", row.pk)).content.decode()
    for text in ("预拨到账", "归还银行垫付", "3,000.50", "2,000.00", "zhang"):
        assert text in page, text
    assert LedgerEntry.objects.count() == posted
    assert taken(send(checker, PRE, "book", row.pk))
    assert Fund.objects.values_list(
        "special_account_fen", "treasury_advance_fen", "subsidy_applied_fen", "bank_advance_fen"
    ).get() == (100_050, -300_050, 200_000, 0)
    assert Receipt.objects.values_list("made_by", "checked_by").get() == ("zhang", "li")
    before = everything()
    assert "已入账（li，" in faults(send(checker, PRE, "book", row.pk))[""]
    assert everything() == before
    assert verify().problems == []


def test_a_reversal_takes_it_back_as_shown(maker: Any, checker: Any) -> None:
    assert taken(enter(maker, amount="3000"))
    (row,) = PreAllocation.objects.all()
    assert taken(send(checker, PRE, "book", row.pk))
    assert taken(enter(maker, amount="-3000", document_number="财预2号"))
    back = PreAllocation.objects.get(amount_fen__lt=0)
    page = checker.get(address(PRE, "book", back.pk)).content.decode()
    assert "1,000.00" in page and "2,000.00" in page and ">归还银行垫付<" not in page
    assert taken(send(checker, PRE, "book", back.pk))
    assert balances() == {"subsidy_applied": 2_000, "bank_advance": -2_000}


def test_the_check_shows_balances_before_and_after(maker: Any, checker: Any) -> None:
    assert taken(enter(maker))
    (row,) = PreAllocation.objects.all()
    shown = checker.get(address(PRE, "book", row.pk)).context["sections"][-1]
    assert [tuple(map(str, line[1:])) for line in shown.rows] == [
        ("贴息专户", "0.00", "1,000.50", "1,000.50"),
        ("预拨资金", "0.00", "3,000.50", "3,000.50"),
        ("银行垫付", "2,000.00", "-2,000.00", "0.00"),
    ]
    assert taken(send(checker, PRE, "book", row.pk))
    fund = Fund.objects.get()
    assert (fund.special_account_fen, fund.treasury_advance_fen, fund.bank_advance_fen) == (
        100_050, -300_050, 0,
    )  # fmt: skip


def test_a_refused_pre_allocation_is_never_booked(maker: Any, checker: Any) -> None:
    assert taken(enter(maker))
    (row,) = PreAllocation.objects.all()
    before = everything()
    assert list(faults(send(checker, PRE, "refuse", row.pk, why=" "))) == ["why"]
    assert send(maker, PRE, "refuse", row.pk, why="x").status_code == 403
    assert everything() == before
    assert taken(send(checker, PRE, "refuse", row.pk, why="金额与回单不符"))
    refusal = ReceiptRefusal.objects.get()
    assert (refusal.why, refusal.made_by, refusal.checked_by) == ("金额与回单不符", "zhang", "li")
    before = everything()
    assert "已退回（li，" in faults(send(checker, PRE, "book", row.pk))[""]
    assert "不再变动" in faults(send(checker, PRE, "refuse", row.pk, why="又一次"))[""]
    page = checker.get(url(PRE, "change", row.pk)).content.decode()
    assert "金额与回单不符" in page and address(PRE, "book", row.pk) not in page
    with pytest.raises(IntegrityError), transaction.atomic():
        Receipt.objects.create(
            institution_id=row.institution_id, pre_allocation=row, made_by="zhang",
            made_at=AT, checked_by="li", checked_at=AT,
        )  # fmt: skip
    assert everything() == before
    assert taken(enter(maker, document_number="财预1号-2", amount="2000"))
    again = PreAllocation.objects.get(amount_fen=200_000)
    assert taken(send(checker, PRE, "book", again.pk))
    assert verify().problems == []


def test_nobody_refuses_what_they_entered(bank: Institution, web: Any) -> None:
    boss = web(person(Role.MAKER, bank, "boss"))
    assert taken(enter(boss))
    become("boss", Role.CHECKER)
    (row,) = PreAllocation.objects.all()
    before = everything()
    assert "须由另一人复核" in faults(send(boss, PRE, "refuse", row.pk, why="x"))[""]
    assert (
        address(PRE, "refuse", row.pk) not in boss.get(url(PRE, "change", row.pk)).content.decode()
    )
    assert everything() == before
    assert ReceiptRefusal.objects.count() == 0


def test_many_are_booked_once_it_was_shown_what_changes(maker: Any, checker: Any) -> None:
    for number in ("财预1号", "财预2号"):
        assert taken(enter(maker, document_number=number))
    keys = list(PreAllocation.objects.order_by("pk").values_list("pk", flat=True))
    before = everything()
    shown = choose(checker, PRE, "pass_check", keys)
    page = shown.content.decode()
    assert page.count("入账前后余额") == 2
    assert everything() == before
    seen = {"action": "pass_check", "_selected_action": keys, "confirmed": shown.context["seen"]}
    assert taken(send(checker, PRE, "book", keys[0]))
    before = everything()
    again = checker.post(url(PRE), seen)
    assert "内容在您查看后有变化" in again.content.decode()
    assert everything() == before
    assert confirm(checker, PRE, "pass_check", keys[1:]) == ["已复核 1 条"]
    assert Receipt.objects.count() == 2


def test_nobody_books_what_they_entered(bank: Institution, web: Any) -> None:
    boss, other = web(person(Role.MAKER, bank, "boss")), web(person(Role.CHECKER, bank, "other"))
    assert taken(enter(boss))
    become("boss", Role.CHECKER)
    (row,) = PreAllocation.objects.all()
    before = everything()
    assert "须由另一人复核" in faults(send(boss, PRE, "book", row.pk))[""]
    assert address(PRE, "book", row.pk) not in boss.get(url(PRE, "change", row.pk)).content.decode()
    confirm(boss, PRE, "pass_check", row.pk)
    assert everything() == before
    assert address(PRE, "book", row.pk) in other.get(url(PRE, "change", row.pk)).content.decode()


def test_administrators_touch_no_money(bank: Institution, maker: Any, web: Any) -> None:
    assert taken(enter(maker))
    (row,) = PreAllocation.objects.all()
    boss = web(person(Role.ADMINISTRATOR, None, "boss"))
    before = everything()
    assert enter(boss).status_code == 403
    assert send(boss, PRE, "book", row.pk).status_code == 403
    boss.post(url(PRE), {"action": "pass_check", "_selected_action": row.pk})
    assert everything() == before


def test_the_same_document_is_entered_once(maker: Any) -> None:
    assert taken(enter(maker))
    before = everything()
    assert "未重复登记" in faults(enter(maker))["document_number"]
    told = faults(enter(maker, amount="1"))
    assert "凭证不可改，请冲正后重新录入" in told["document_number"]
    assert "“财预1号”" in told["document_number"]
    assert everything() == before
    assert taken(enter(maker, purpose="guarantee_fee"))


def test_a_tier_the_scheme_does_not_pay_is_refused_at_its_field(maker: Any) -> None:
    before = everything()
    refused = faults(enter(maker, tier="central"))
    assert refused == {"tier": "“central”：该政策不使用中央资金，只使用：市级"}
    assert everything() == before


def test_what_is_to_be_chosen_starts_empty_unless_there_is_one(maker: Any) -> None:
    fields = maker.get(address(PRE, "enter")).context["form"].fields
    first = {name: str(fields[name].choices[0][1]) for name in ("scheme_code", "tier", "purpose")}
    assert first == {"scheme_code": "试验", "tier": "请选择", "purpose": "贷款贴息"}
    assert str(fields["institution_code"].choices[0][1]).endswith("甲银行")
    assert json.loads(fields["tier"].widget.attrs["data-paid"]) == {"test": ["municipal"]}
    assert faults(enter(maker, tier=""))["tier"] == "这个字段是必填项。"


def test_why_each_of_several_is_not_booked_is_said(maker: Any, checker: Any) -> None:
    assert taken(enter(maker)) and taken(enter(maker, document_number="财预2号"))
    one, two = PreAllocation.objects.order_by("pk")
    assert taken(send(checker, PRE, "refuse", two.pk, why="重复"))
    told = confirm(checker, PRE, "pass_check", [one.pk, two.pk])
    assert told[1] == "已复核 1 条"
    assert told[0].startswith(f"#{two.pk}: 已退回（li，") and told[0].endswith("），不再变动")
    assert list(Receipt.objects.values_list("pre_allocation_id", flat=True)) == [one.pk]


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("amount", "0", "“0”：金额不能为零"),
        ("amount", "1.001", "最多 2 位小数"),
        ("amount", "１２３元", "只填数字"),
        ("amount", "", "必填"),
        ("received_on", "2026-02-30", "日历上没有这一天"),
        ("received_on", "昨天", "不是日期"),
        ("document_number", " ", "必填"),
        ("document_number", "文\u200b号", "第 2 个字符不可用"),
        ("scheme_code", "other", "other"),
        ("institution_code", TREE[2][0], TREE[2][0]),
        ("tier", "county", "county"),
    ],
)
def test_a_wrong_value_is_told_at_its_field(field: str, value: str, told: str, maker: Any) -> None:
    before = everything()
    found = faults(enter(maker, **{field: value}))
    assert list(found) == [field] and told in found[field]
    assert everything() == before


@pytest.mark.parametrize("role", [Role.CHECKER, Role.AUDITOR, Role.FINANCE_VIEWER])
def test_who_may_not_enter(role: Role, bank: Institution, web: Any) -> None:
    client = web(person(role, bank, "somebody"))
    before = everything()
    assert enter(client).status_code == 403
    assert send(client, MADE, "record").status_code == 403
    assert everything() == before


def test_another_banks_money_is_not_there(maker: Any, web: Any) -> None:
    assert taken(enter(maker))
    (row,) = PreAllocation.objects.all()
    south = Institution.objects.get(code=TREE[2][0])
    stranger = web(person(Role.CHECKER, south, "stranger"))
    before = everything()
    assert stranger.get(address(PRE, "book", row.pk)).status_code == 404
    assert send(stranger, PRE, "book", row.pk).status_code == 404
    become("stranger", Role.MAKER)
    assert list(faults(enter(stranger))) == ["institution_code"]
    assert everything() == before


@pytest.fixture
def borne(small: SmallBook) -> int:
    """A fund of which the bank has to bear 500 yuan."""
    (fund,) = Fund.objects.all()
    note_id = fund.scheme.deductions.values_list("note_id", flat=True)[0]
    made = clawbacks.propose(
        claim=Claim(note_id, fund.pk, 2026, 50_000), ground=Ground("staff", 0, "试验"),
        actor="a", at=AT,
    )  # fmt: skip
    clawbacks.decide(clawback_id=made, accept=True, actor="b", at=AT)
    move(made, "written_off", 500)
    return int(fund.pk)


def record(client: Any, fund: int, **changes: str) -> Any:
    data = {"fund": str(fund), "moved_on": "2026-08-01", "amount": "400", "reference": "B1"}
    return send(client, MADE, "record", **{**data, **changes})


def test_the_bank_makes_good_what_it_bears(borne: int, maker: Any, checker: Any) -> None:
    page = maker.get(address(MADE, "record")).content.decode()
    assert "甲银行" in page and "500.00" in page
    assert taken(record(maker, borne))
    (made,) = MadeGood.objects.all()
    before = everything()
    assert "未重复登记" in faults(record(maker, borne))["reference"]
    assert "银行应承担的 100.00 元" in faults(record(maker, borne, reference="B2"))["amount"]
    assert faults(record(maker, borne, amount="4.005", reference="B2")) == {
        "amount": "“4.005”：最多 2 位小数"
    }
    assert list(faults(record(maker, 999))) == ["fund"]
    assert everything() == before
    page = checker.get(address(MADE, "check", made.pk)).content.decode()
    assert "将入账的分录" in page and "400.00" in page
    assert taken(send(checker, MADE, "check", made.pk))
    assert (balances()["special_account"], balances()["disallowed"]) == (400, 100)
    before = everything()
    for step in ("check", "refuse"):
        assert "只复核一次" in faults(send(checker, MADE, step, made.pk, why="x"))[""]
    assert everything() == before
    assert verify().problems == []


def test_a_refused_payment_never_counts(borne: int, maker: Any, checker: Any) -> None:
    assert taken(record(maker, borne, amount="500"))
    (made,) = MadeGood.objects.all()
    before = everything()
    assert list(faults(send(checker, MADE, "refuse", made.pk, why=""))) == ["why"]
    assert everything() == before
    assert taken(send(checker, MADE, "refuse", made.pk, why="未到账"))
    assert balances()["disallowed"] == 500
    assert taken(record(maker, borne, amount="400"))
    assert verify().problems == []


def test_nobody_checks_what_they_paid_in(borne: int, bank: Institution, web: Any) -> None:
    boss = web(person(Role.MAKER, bank, "boss"))
    assert taken(record(boss, borne))
    become("boss", Role.CHECKER)
    (made,) = MadeGood.objects.all()
    before = everything()
    assert "须由另一人复核" in faults(send(boss, MADE, "check", made.pk))[""]
    assert everything() == before
