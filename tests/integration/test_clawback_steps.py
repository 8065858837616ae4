"""Clawbacks by hand: proposed, decided, received, written off; each by one and checked by another."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from config.kernel.models import Institution, Role
from loans.models import Note
from settlement.models import Clawback, ClawbackMovement, Fund, LedgerEntry
from settlement.services.verification import verify
from tests.integration.book import run
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, TREE, SmallBook
from tests.integration.steps import address, become, everything, faults, send, taken
from tests.integration.test_admin import person, url, web  # noqa: F401
from tests.integration.test_postings import balances

pytestmark = pytest.mark.django_db

PAGE, MOVE = "settlement.clawback", "settlement.clawbackmovement"


@pytest.fixture
def small(tmp_path: Path) -> SmallBook:
    """Two banks; one note with two collections of 1,000 yuan each, one of the other bank."""
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST)
    book.lend("B", SECOND, at=SOUTH)
    for month in (2, 3):
        book.collect("A", month)
    run()
    return book


@pytest.fixture
def bank(small: SmallBook) -> Institution:
    return Institution.objects.get(code=TREE[0][0])


@pytest.fixture
def note_id(small: SmallBook) -> int:
    return int(Note.objects.get(note_number="A").pk)


@pytest.fixture
def maker(bank: Institution, web: Any) -> Any:
    return web(person(Role.MAKER, bank, "zhang"))


@pytest.fixture
def checker(bank: Institution, web: Any) -> Any:
    return web(person(Role.CHECKER, bank, "li"))


FORM = {
    "note_number": "A", "institution_code": "", "scheme": "test", "tier": "municipal",
    "purpose": "interest", "year": "2026", "amount": "1,500.00", "origin": "staff", "document_number": "",
    "why": "挪用贷款", "is_offset": "on",
}  # fmt: skip


def propose(client: Any, **changes: str) -> Any:
    return send(client, PAGE, "propose", **{**FORM, **changes})


def proposed(client: Any, **changes: str) -> int:
    assert taken(propose(client, **changes))
    return int(Clawback.objects.order_by("-pk")[0].pk)


def decided(maker: Any, checker: Any, **changes: str) -> int:
    made = proposed(maker, **changes)
    assert taken(send(checker, PAGE, "decide", made))
    return made


def receive(client: Any, pk: int, **changes: str) -> Any:
    data = {"moved_on": "2026-07-01", "amount": "400", "reference": "T1", "why": ""}
    return send(client, PAGE, "receive", pk, **{**data, **changes})


def refuses(response: Any, before: Any, **told: str) -> None:
    """The step was refused with these words at these fields, and changed nothing."""
    found = faults(response)
    assert found.keys() == {key.replace("form", "") for key in told}
    for key, words in told.items():
        assert words in found[key.replace("form", "")]
    assert everything() == before


def test_a_whole_life_by_two_people(maker: Any, checker: Any) -> None:
    made = proposed(maker, amount="１，５００．００")
    found = Clawback.objects.get(pk=made)
    assert (found.amount_fen, found.origin, found.made_by, found.state, found.is_offset) == (
        150_000, "staff", "zhang", "proposed", True,
    )  # fmt: skip
    assert balances() == {"subsidy_applied": 2_000, "bank_advance": -2_000}

    page = checker.get(address(PAGE, "decide", made)).content.decode()
    assert "将入账的分录" in page and "应收追回" in page and "1,500.00" in page
    assert taken(send(checker, PAGE, "decide", made))
    assert balances() == {
        "subsidy_applied": 500, "bank_advance": -2_000, "clawback_receivable": 1_500,
    }  # fmt: skip

    assert taken(receive(maker, made))
    (first,) = ClawbackMovement.objects.all()
    assert balances()["clawback_receivable"] == 1_500
    assert taken(send(checker, MOVE, "check", first.pk))
    assert (balances()["clawback_receivable"], balances()["special_account"]) == (1_100, 400)

    written = {"moved_on": "2026-08-01", "amount": "1100", "reference": "", "why": "企业破产"}
    assert taken(send(maker, PAGE, "write-off", made, **written))
    last = ClawbackMovement.objects.latest("pk")
    assert taken(send(checker, MOVE, "check", last.pk))
    assert balances() == {
        "special_account": 400, "subsidy_applied": 500, "bank_advance": -2_000, "disallowed": 1_100,
    }  # fmt: skip
    assert verify().problems == []


def test_an_order_has_its_number_and_is_entered_once(maker: Any) -> None:
    before = everything()
    refuses(propose(maker, origin="order"), before, document_number="须填文号")
    made = proposed(maker, origin="order", document_number="财追1号", is_offset="")
    found = Clawback.objects.get(pk=made)
    assert (found.origin, found.document_number, found.is_offset) == ("order", "财追1号", False)
    before = everything()
    again = propose(maker, origin="order", document_number="财追1号", amount="1")
    refuses(again, before, document_number="未重复登记")


def test_the_same_form_sent_twice_is_one_clawback(maker: Any, checker: Any) -> None:
    made = proposed(maker, amount="100")
    before = everything()
    refuses(propose(maker, amount="100"), before, document_number=f"#{made}")
    assert taken(send(checker, PAGE, "decide", made))
    before = everything()
    refuses(send(checker, PAGE, "decide", made), before, form="不能再做这一步")
    assert taken(receive(maker, made, amount="40"))
    before = everything()
    refuses(receive(maker, made, amount="40"), before, reference="未重复登记")
    (movement,) = ClawbackMovement.objects.all()
    assert taken(send(checker, MOVE, "check", movement.pk))
    before = everything()
    refuses(send(checker, MOVE, "check", movement.pk), before, form="已复核或已退回")
    written = {"moved_on": "2026-08-01", "amount": "10", "reference": "", "why": "破产"}
    assert taken(send(maker, PAGE, "write-off", made, **written))
    before = everything()
    refuses(send(maker, PAGE, "write-off", made, **written), before, reference="未重复登记")


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("amount", "", "必填"),
        ("amount", "1.005", "“1.005”：最多 2 位小数"),
        ("amount", "1e3", "不接受科学计数法"),
        ("amount", "壹佰", "只接受 0-9"),
        ("amount", "-5", "必须大于零"),
        ("amount", "0", "必须大于零"),
        ("amount", "1,00", "千分位逗号的位置不对"),
        ("amount", "2000.01", "不超过该借据该年度已贴且未追回的 2000.00 元"),
        ("amount", "100000000001", "超过 100,000,000,000"),
        ("year", "26", "不是年份"),
        ("year", "2025", "nothing"),
        ("note_number", "没有", "没有这笔借据"),
        ("note_number", "B", "没有这笔借据"),
        ("scheme", "other", "other"),
        ("tier", "central", "nothing"),
        ("why", " ", "必填"),
        ("why", "看不见\u200b", "第 4 个字符"),
        ("document_number", "文\u200b号", "第 2 个字符不可用"),
    ],
)
def test_a_wrong_value_is_told_at_its_field(field: str, value: str, told: str, maker: Any) -> None:
    before = everything()
    found = faults(propose(maker, **{field: value}))
    blamed = "tier" if told == "nothing" else field
    words = "没有由您可见的这一政策、层级和用途的资金支付过贴息" if told == "nothing" else told
    assert list(found) == [blamed]
    assert words in found[blamed]
    assert everything() == before


def test_nobody_checks_their_own_not_even_once_they_are_checkers(
    bank: Institution, web: Any
) -> None:
    boss, other = web(person(Role.MAKER, bank, "boss")), web(person(Role.CHECKER, bank, "other"))
    made = proposed(boss)
    become("boss", Role.CHECKER)
    page = boss.get(url(PAGE, "change", made)).content.decode()
    assert address(PAGE, "decide", made) not in page
    assert address(PAGE, "decide", made) in other.get(url(PAGE, "change", made)).content.decode()
    before = everything()
    refuses(send(boss, PAGE, "decide", made), before, form="不能复核本人经办的记录")
    refuses(send(boss, PAGE, "dismiss", made, why="不必"), before, form="不能复核本人经办的记录")
    assert taken(send(other, PAGE, "decide", made))
    become("boss", Role.MAKER)
    assert taken(receive(boss, made))
    become("boss", Role.CHECKER)
    (movement,) = ClawbackMovement.objects.all()
    before = everything()
    for step in ("check", "refuse"):
        refuses(send(boss, MOVE, step, movement.pk, why="错"), before, form="本人经办")
    with pytest.raises(IntegrityError, match="checked_by_another"), transaction.atomic():
        ClawbackMovement.objects.filter(pk=movement.pk).update(checked_by="boss")


def test_what_was_made_cannot_be_edited(maker: Any) -> None:
    made = proposed(maker)
    for column in ("amount_fen = 1", "why = 'x'", "made_by = 'x'", "document_number = 'x'"):
        with pytest.raises(Exception, match="permission denied"), transaction.atomic():
            connection.cursor().execute(
                f"UPDATE settlement_clawback SET {column} WHERE id = {made}"
            )


def test_a_dismissal_says_why(maker: Any, checker: Any) -> None:
    made = proposed(maker)
    before = everything()
    refuses(send(checker, PAGE, "dismiss", made, why=" "), before, why="必填")
    assert taken(send(checker, PAGE, "dismiss", made, why="证据不足"))
    found = Clawback.objects.get(pk=made)
    assert (found.state, found.dismissed_why, found.checked_by) == ("dismissed", "证据不足", "li")
    assert balances() == {"subsidy_applied": 2_000, "bank_advance": -2_000}
    assert "证据不足" in checker.get(url(PAGE, "change", made)).content.decode()
    proposed(maker)


def test_a_refused_movement_never_counts_and_is_entered_anew(maker: Any, checker: Any) -> None:
    made = decided(maker, checker)
    assert taken(receive(maker, made, amount="1500"))
    wrong = ClawbackMovement.objects.get()
    before = everything()
    refuses(receive(maker, made, reference="T2"), before, amount="0.00 元")
    refuses(send(checker, MOVE, "refuse", wrong.pk, why=""), before, why="必填")
    posted = LedgerEntry.objects.count()
    assert taken(send(checker, MOVE, "refuse", wrong.pk, why="金额应为 150 元"))
    assert LedgerEntry.objects.count() == posted
    before = everything()
    refuses(send(checker, MOVE, "check", wrong.pk), before, form="已退回")
    assert taken(receive(maker, made, amount="150"))
    right = ClawbackMovement.objects.latest("pk")
    assert taken(send(checker, MOVE, "check", right.pk))
    assert Clawback.objects.get().received_fen == 15_000
    assert verify().problems == []


def test_whether_to_offset_is_decided_by_two(small: SmallBook, maker: Any, checker: Any) -> None:
    made = decided(maker, checker)
    page = maker.get(url(PAGE, "change", made)).content.decode()
    assert address(PAGE, "offset-off", made) in page
    assert address(PAGE, "offset-on", made) not in page
    before = everything()
    refuses(send(maker, PAGE, "offset-off", made, why=""), before, why="必填")
    refuses(send(maker, PAGE, "offset-on", made, why="企业要求"), before, form="抵扣方式已是如此")
    posted = LedgerEntry.objects.count()
    assert taken(send(maker, PAGE, "offset-off", made, why="企业要求现金归还"))
    before = everything()
    again = send(maker, PAGE, "offset-off", made, why="企业要求现金归还")
    refuses(again, before, why="未重复登记")
    assert Clawback.objects.get().is_offset
    (switch,) = ClawbackMovement.objects.all()
    assert taken(send(checker, MOVE, "check", switch.pk))
    assert not Clawback.objects.get().is_offset
    assert LedgerEntry.objects.count() == posted
    assert verify().problems == []


@pytest.mark.parametrize("role", [Role.CHECKER, Role.AUDITOR, Role.FINANCE_VIEWER])
def test_who_may_not_make(
    role: Role, bank: Institution, web: Any, maker: Any, checker: Any
) -> None:
    made = decided(maker, checker)
    client = web(person(role, bank, "somebody"))
    before = everything()
    assert propose(client).status_code == 403
    assert receive(client, made).status_code == 403
    assert client.get(address(PAGE, "propose")).status_code == 403
    assert address(PAGE, "propose") not in client.get(url(PAGE)).content.decode()
    assert everything() == before


@pytest.mark.parametrize("role", [Role.MAKER, Role.MANAGER, Role.AUDITOR, Role.FINANCE_VIEWER])
def test_who_may_not_check(role: Role, bank: Institution, web: Any, maker: Any) -> None:
    made = proposed(maker)
    client = web(person(role, bank, "somebody"))
    before = everything()
    for step in ("decide", "dismiss"):
        assert send(client, PAGE, step, made, why="x").status_code == 403
        assert (
            address(PAGE, step, made) not in client.get(url(PAGE, "change", made)).content.decode()
        )
    assert everything() == before


def test_another_banks_clawback_is_not_there(
    note_id: int, maker: Any, checker: Any, web: Any
) -> None:
    made = decided(maker, checker)
    south = Institution.objects.get(code=TREE[2][0])
    stranger = web(person(Role.CHECKER, south, "stranger"))
    for step in ("decide", "dismiss", "receive", "write-off", "offset-off"):
        become("stranger", Role.CHECKER if step in ("decide", "dismiss") else Role.MAKER)
        assert stranger.get(address(PAGE, step, made)).status_code == 404
        assert send(stranger, PAGE, step, made, why="x").status_code == 404
    assert stranger.get(address(PAGE, "receive", "abc")).status_code == 404
    page = stranger.get(address(PAGE, "propose", note=note_id)).content.decode()
    assert 'value="A"' not in page
    assert list(faults(propose(stranger))) == ["note_number"]
    assert Clawback.objects.count() == 0  # in this person's sight


def test_a_branch_sees_its_note_but_not_the_money_above(small: SmallBook, web: Any) -> None:
    branch = Institution.objects.get(code=NORTH)
    client = web(person(Role.MAKER, branch, "branch"))
    found = faults(propose(client))
    assert list(found) == ["tier"] and "上级机构" in found["tier"]
    assert Fund.objects.count() == 0
    boss = web(person(Role.MAKER, Institution.objects.get(code=TREE[0][0]), "zhang"))
    made = proposed(boss)
    checking = web(person(Role.CHECKER, branch, "wang"))
    assert "资金属于上级机构" in faults(send(checking, PAGE, "decide", made))[""]
    assert Clawback.objects.get().state == "proposed"


def test_the_notes_page_opens_the_form_filled_in(note_id: int, maker: Any, web: Any) -> None:
    link = address(PAGE, "propose", note=note_id)
    assert link in maker.get(url("loans.note", "change", note_id)).content.decode()
    page = maker.get(link).content.decode()
    for text in ('value="A"', f'value="{NORTH}"', 'value="2026"', "可追回", "2,000.00"):
        assert text in page, text
    assert maker.get(address(PAGE, "propose", note="abc")).status_code == 200
    auditor = web(person(Role.AUDITOR, Institution.objects.get(code=TREE[0][0]), "auditor"))
    assert link not in auditor.get(url("loans.note", "change", note_id)).content.decode()


def test_a_number_of_several_notes_asks_for_the_institution(small: SmallBook, web: Any) -> None:
    sister = NORTH.replace("320100", "320500")
    small.enter(
        "institutions",
        {
            "institution_code": sister, "name": "甲银行二支行", "level": "branch",
            "parent_code": TREE[0][0], "region_code": "320500",
        },
    )  # fmt: skip
    small.contract("A", SECOND, at=sister)
    small.note("A", at=sister)
    boss = web(person(Role.MAKER, Institution.objects.get(code=TREE[0][0]), "boss"))
    found = faults(propose(boss))
    assert list(found) == ["institution_code"]
    assert NORTH in found["institution_code"] and sister in found["institution_code"]
    assert taken(propose(boss, institution_code=NORTH))
