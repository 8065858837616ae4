"""A settlement and the liquidation in a browser, step by step, until no money is left."""

from __future__ import annotations

from typing import Any

import pytest

from settlement.models import Settlement
from tests.browser.desk import CHECKER, MAKER, Desk, desks, two_people, whole
from tests.browser.door import MARKS
from tests.integration.rows import BANK
from tests.integration.test_settlements import Money

pytestmark = MARKS

LIST = "settlement/settlement"


@pytest.fixture
def money(transactional_db: None) -> Money:
    """2,000 yuan received and 500 used, a central fund; two people of its bank."""
    made = Money()
    made.receive(200_000)
    made.pay(50_000)
    two_people(made.bank)
    return made


def draft(desk: Desk, kind: str, **more: str) -> int:
    """The maker drafts it; its key."""
    page = desk.menu(MAKER, LIST)
    desk.press(MAKER, "起草结算或清算")
    place = page.locator("#id_institution option", has_text=BANK).first.inner_text()
    scheme = page.locator("#id_scheme option", has_text="test").first.inner_text()
    desk.fill(MAKER, scheme=scheme, institution=place, kind=kind, **more)
    assert "草稿已生成，待他人复核后提交" in desk.submit(MAKER)
    return int(whole(lambda: Settlement.objects.latest("pk").pk))


def through_finance(desk: Desk, key: int, approved: str, number: str, file: str) -> None:
    """Submitted by the checker, decided by finance, which the maker enters."""
    desk.waiting(CHECKER, "结算")
    desk.row(CHECKER, f"#{key}")
    desk.press(CHECKER, "复核并提交财政")
    assert "提交前后" in desk.look(CHECKER, f"{file}-submit")
    assert "已提交" in desk.submit(CHECKER)
    desk.go(MAKER, f"{LIST}/{key}/change/")
    desk.press(MAKER, "录入批复")
    desk.look(MAKER, f"{file}-decide")
    desk.fill(MAKER, document_number=number, decided_on="2027-02-18")
    desk[MAKER].fill("input[name^=approved_]", approved)
    assert "批复已录入，待他人复核入账" in desk.submit(MAKER)
    desk.cannot(MAKER, "book")
    desk.cannot(MAKER, "refuse-decision")


def book(desk: Desk, key: int, file: str) -> str:
    """The checker sees what will be posted, and has it posted."""
    desk.go(CHECKER, f"{LIST}/{key}/change/")
    desk.press(CHECKER, "复核批复并入账")
    shown = desk.look(CHECKER, f"{file}-book")
    assert "已入账" in desk.submit(CHECKER)
    desk.look(CHECKER, f"{file}-booked")
    return shown


def make_good(desk: Desk) -> None:
    """What finance did not approve the bank pays into the special account itself."""
    page = desk.menu(MAKER, "settlement/madegood")
    desk.press(MAKER, "登记银行补足")
    fund = page.locator("#id_fund option", has_text="甲银行").first.inner_text()
    desk.fill(MAKER, fund=fund, moved_on="2027-03-01", amount="50.00", reference="BZ-1")
    desk.look(MAKER, "04-make-good")
    assert "已登记，待他人复核" in desk.submit(MAKER)
    desk.cannot(MAKER, "check")
    desk.waiting(CHECKER, "银行补足")
    desk.row(CHECKER, "BZ-1")
    desk.press(CHECKER, "复核通过")
    assert "将入账的分录" in desk.look(CHECKER, "05-made-good")
    assert "已复核" in desk.submit(CHECKER)


def test_a_year_is_settled_and_the_rest_is_liquidated(money: Money, live_server: Any) -> None:
    with desks(live_server.url, "liquidation") as desk:
        year = draft(desk, "年度结算（末次，提交后年度关闭）", year="2026", need_central="0.00")
        shown = desk.look(MAKER, "01-draft")
        for text in ("2,000.00", "500.00", "1,500.00", "当前步骤"):
            assert text in shown, text
        desk.cannot(MAKER, "submit")
        through_finance(desk, year, "450.00", "财批1号", "02-year")
        shown = book(desk, year, "03-year")
        for text in ("认可", "450.00", "核减", "50.00"):
            assert text in shown, text

        make_good(desk)
        rest = draft(desk, "清算")
        desk.look(MAKER, "06-liquidation")
        through_finance(desk, rest, "0.00", "财批2号", "07-liquidation")
        shown = book(desk, rest, "08-liquidation")
        assert "结余退回" in shown and "1,550.00" in shown

    assert list(Settlement.objects.order_by("pk").values_list("kind", "state")) == [
        ("annual", "booked"), ("liquidation", "booked"),
    ]  # fmt: skip
    assert money.balances() == (0, 0, 0, 0, 0, 0)
