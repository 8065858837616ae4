"""Settlements in the admin: drafted, submitted, decided and booked by different people."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from config.kernel.models import Institution, Role
from settlement.models import LedgerEntry, Scheme, Settlement, SettlementItem
from settlement.services import funds, settlements
from settlement.services.funds import FundKey
from settlement.services.settlements import Ask
from tests.integration import rows
from tests.integration.steps import address, become, confirm, everything, faults, send, taken
from tests.integration.test_admin import person, url, web  # noqa: F401
from tests.integration.test_note_page import table
from tests.integration.test_settlements import AT, Money, money  # noqa: F401

pytestmark = pytest.mark.django_db

PAGE = "settlement.settlement"


def draft(client: Any, money: Money, **changes: str) -> Any:
    data = {
        "scheme": str(money.scheme.pk), "institution": str(money.bank.pk), "kind": "final",
        "year": "2026", "through": "", "need_central": "1,234.50", "need_provincial": "",
        "need_municipal": "",
    }  # fmt: skip
    return send(client, PAGE, "draft", **{**data, **changes})


def decide(client: Any, pk: int, approved: str = "9.00", **changes: str) -> Any:
    item = SettlementItem.objects.get(settlement_id=pk)
    data = {
        "document_number": "财批1号",
        "decided_on": "2027-02-18",
        f"approved_{item.pk}": approved,
    }
    return send(client, PAGE, "decide", pk, **{**data, **changes})


def two(web: Any, bank: Institution) -> tuple[Any, Any]:
    return web(person(Role.MAKER, bank, "one")), web(person(Role.CHECKER, bank, "two"))


def test_the_whole_life_step_by_step(money: Money, web: Any) -> None:
    money.receive(2_000)
    money.pay(1_000)
    maker = web(person(Role.MAKER, money.bank, "zhang"))
    checker = web(person(Role.CHECKER, money.bank, "li"))
    response = draft(maker, money)
    (made,) = Settlement.objects.all()
    assert response.url == url(PAGE, "change", made.pk)
    assert (made.year, made.is_final, made.state, made.made_by) == (2026, True, "draft", "zhang")
    assert SettlementItem.objects.get().next_year_need_fen == 123_450

    assert taken(send(checker, PAGE, "submit", made.pk))
    page = maker.get(address(PAGE, "decide", made.pk)).content.decode()
    assert 'value="10.00"' in page
    assert taken(decide(maker, made.pk, "９．００"))

    posted = LedgerEntry.objects.count()
    page = checker.get(address(PAGE, "book", made.pk)).content.decode()
    for text in ("将入账的分录", "结算认可", "结算核减", "9.00", "1.00", "预拨资金", "财批1号"):
        assert text in page, text
    assert LedgerEntry.objects.count() == posted
    assert taken(send(checker, PAGE, "book", made.pk))
    assert money.balances() == (1_000, -1_100, 0, 0, 0, 100)
    assert LedgerEntry.objects.count() == posted + 2
    before = everything()
    assert "现为“已入账”" in faults(send(checker, PAGE, "book", made.pk))[""]
    assert "现为“已入账”" in faults(decide(maker, made.pk))[""]
    assert everything() == before


def test_a_liquidation_shows_the_surplus_it_will_return(money: Money, web: Any) -> None:
    money.receive(2_000)
    money.pay(500)
    one, other = two(web, money.bank)
    assert taken(draft(one, money, kind="liquidation", year="", need_central=""))
    (made,) = Settlement.objects.all()
    assert (made.kind, made.year) == ("liquidation", None)
    assert taken(send(other, PAGE, "submit", made.pk))
    assert taken(decide(one, made.pk, "5.00"))
    page = other.get(address(PAGE, "book", made.pk)).content.decode()
    assert "结余退回" in page and "15.00" in page
    assert taken(send(other, PAGE, "book", made.pk))
    assert money.balances() == (0, 0, 0, 0, 0, 0)


def test_every_figure_of_a_result_is_shown_and_adds_up(money: Money, web: Any) -> None:
    money.receive(2_000)
    money.pay(1_000)
    money.correct(300)
    money.claw_back(200)
    money.got_back(150)
    one, _other = two(web, money.bank)
    assert taken(draft(one, money))
    (made,) = Settlement.objects.all()
    shown = table(one.get(url(PAGE, "change", made.pk)), "按资金层级")
    figures = [(account, title, amount) for account, title, amount in shown]
    assert figures == [
        ("专户资金", "期初结余（元）", "0.00"), ("专户资金", "＋收到预拨（元）", "20.00"),
        ("专户资金", "－代付贴息（元）", "10.00"), ("专户资金", "＋已追回（元）", "1.50"),
        ("专户资金", "＋银行补足（元）", "0.00"), ("专户资金", "－已退回结余（元）", "0.00"),
        ("专户资金", "＋缺口（元）", "0.00"), ("专户资金", "＝结余（元）", "11.50"),
        ("专户资金", "结转下期（结余－缺口；清算不结转结余）（元）", "11.50"),
        ("申报", "代付贴息（元）", "10.00"), ("申报", "＋差额调减（元）", "-3.00"),
        ("申报", "－决定追回（元）", "2.00"), ("申报", "＝申报结算（元）", "5.00"),
        ("申报", "－核减（元）", "—"), ("申报", "＝认可（元）", "—"),
        ("应收追回", "期初应收追回（元）", "0.00"), ("应收追回", "－差额调减（元）", "-3.00"),
        ("应收追回", "＋决定追回（元）", "2.00"), ("应收追回", "＋追回已结算年度（元）", "0.00"),
        ("应收追回", "－已追回（元）", "1.50"), ("应收追回", "－追回核销（元）", "0.00"),
        ("应收追回", "＝期末应收追回（元）", "3.50"),
        ("下年", "下年需求（元）", "1,234.50"), ("明细", "", "查看"),
    ]  # fmt: skip


def test_a_draft_of_money_that_is_not_there_names_the_scheme(money: Money, web: Any) -> None:
    money.pay(1_000)
    other = Scheme.objects.create(code="other", name="另一项")
    elsewhere = rows.institutions()[rows.SUZHOU]
    funds.open_funds(keys=[FundKey(elsewhere.pk, other.pk, "central")])
    client = web(person(Role.MAKER, money.bank))
    before = everything()
    found = faults(draft(client, money, scheme=str(other.pk)))
    assert found == {"scheme": "所选机构没有这项政策的资金"}
    assert everything() == before


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({"year": ""}, "year", "年度结算须填结算年度"),
        ({"kind": "liquidation"}, "year", "清算不填"),
        ({"year": "26"}, "year", "“26”：不是年份"),
        ({"through": "2026-06-30"}, "through", "不能限定日期"),
        ({"kind": "part", "through": "2026-02-30"}, "through", "日历上没有这一天"),
        ({"need_central": "-1"}, "need_central", "金额不能为负"),
        ({"need_municipal": "1.001"}, "need_municipal", "最多 2 位小数"),
        ({"year": "2025"}, "institution", "没有待结算的入账"),
        ({"year": "2027"}, "year", "2026 年度尚未结清"),
        ({"scheme": "999"}, "scheme", "999"),
    ],
)
def test_a_draft_that_cannot_be(
    changes: dict[str, str], field: str, told: str, money: Money, web: Any
) -> None:
    money.pay(1_000)
    client = web(person(Role.MAKER, money.bank))
    before = everything()
    found = faults(draft(client, money, **changes))
    assert list(found) == [field] and told in found[field]
    assert everything() == before


def test_the_same_draft_twice_is_one(money: Money, web: Any) -> None:
    money.pay(1_000)
    client = web(person(Role.MAKER, money.bank))
    assert draft(client, money).url == draft(client, money).url
    assert Settlement.objects.count() == 1
    assert taken(draft(client, money, need_central="2"))
    old, new = Settlement.objects.order_by("pk")
    assert (old.state, old.withdrawn_why, new.state) == (
        "withdrawn", "重新起草 / drafted anew", "draft",
    )  # fmt: skip


def test_without_a_need_entered_it_is_forecast(money: Money, web: Any) -> None:
    money.pay(1_000)
    client = web(person(Role.MAKER, money.bank))
    assert taken(draft(client, money, need_central=""))
    assert SettlementItem.objects.get().next_year_need_fen == 0


def test_three_steps_by_two_people(money: Money, web: Any) -> None:
    money.pay(1_000)
    made = money.draft()
    assert made is not None
    one, other = two(web, money.bank)
    assert confirm(other, PAGE, "submit_to_finance", made) == ["已提交 1 份"]
    item = SettlementItem.objects.get()
    before = everything()
    assert faults(decide(one, made, "10.01")) == {
        f"approved_{item.pk}": "认可额须在 0 与申报额之间"
    }
    assert "不是数字" in faults(decide(one, made, "x"))[f"approved_{item.pk}"]
    found = faults(decide(one, made, document_number="", decided_on=""))
    assert sorted(found) == ["decided_on", "document_number"]
    assert everything() == before
    assert taken(decide(one, made))
    become("one", Role.CHECKER)
    before = everything()
    assert "批复录入人不能复核入账" in faults(send(one, PAGE, "book", made))[""]
    assert address(PAGE, "book", made) not in one.get(url(PAGE, "change", made)).content.decode()
    assert everything() == before
    assert confirm(other, PAGE, "book_decision", made) == ["已入账 1 份"]
    assert money.balances() == (0, 900, 0, -1_000, 0, 100)
    before = everything()
    assert "现为“已入账”" in faults(send(other, PAGE, "take-back", made, why="x"))[""]
    assert everything() == before
    become("one", Role.MAKER)
    assert address(PAGE, "decide", made) not in one.get(url(PAGE, "change", made)).content.decode()


def test_a_decision_recorded_wrongly_goes_back(money: Money, web: Any) -> None:
    money.receive(2_000)
    money.pay(1_000)
    made = money.draft()
    assert made is not None
    maker = web(person(Role.MAKER, money.bank, "zhang"))
    checker = web(person(Role.CHECKER, money.bank, "li"))
    assert "年度" in checker.get(address(PAGE, "submit", made)).content.decode()
    assert taken(send(checker, PAGE, "submit", made))
    assert taken(decide(maker, made, "9.00"))
    before = everything()
    assert list(faults(send(checker, PAGE, "refuse-decision", made, why=""))) == ["why"]
    assert send(maker, PAGE, "refuse-decision", made, why="x").status_code == 403
    late = send(checker, PAGE, "refuse-decision", made, why="x", seen="2020-01-01T00:00:00+00:00")
    assert "有变化，请重新核对" in faults(late)[""]
    assert everything() == before
    assert taken(send(checker, PAGE, "refuse-decision", made, why="应为全额"))
    found = Settlement.objects.get()
    assert (found.state, found.document_number, found.decided_by) == ("submitted", "", None)
    assert (found.decision_refused_by, found.decision_refused_why) == ("li", "应为全额")
    item = SettlementItem.objects.get()
    assert (item.approved_fen, item.disallowed_fen) == (None, None)
    assert "批复录入已被 li 退回：应为全额" in maker.get(url(PAGE, "change", made)).content.decode()
    before = everything()
    assert "现为“已提交”" in faults(send(checker, PAGE, "book", made))[""]
    assert everything() == before
    assert taken(decide(maker, made, "10.00"))
    assert taken(send(checker, PAGE, "book", made))
    assert money.balances() == (1_000, -1_000, 0, 0, 0, 0)


def test_the_way_shows_where_it_stands(money: Money, web: Any) -> None:
    money.pay(1_000)
    made = money.draft()
    assert made is not None
    client = web(person(Role.CHECKER, money.bank, "li"))

    def way() -> list[tuple[str, str]]:
        found = client.get(url(PAGE, "change", made)).context["stages"]
        return [(str(stage.title), stage.standing) for stage in found]

    assert way() == [
        ("起草", "done"), ("复核并提交财政", "now"), ("录入财政批复", "todo"), ("复核入账", "todo"),
    ]  # fmt: skip
    assert taken(send(client, PAGE, "submit", made))
    assert taken(decide(web(person(Role.MAKER, money.bank, "zhang")), made, "9.00"))
    assert way()[2:] == [("财政批复：部分认可", "done"), ("复核入账", "now")]
    assert taken(send(client, PAGE, "book", made))
    assert way()[2:] == [("财政批复：部分认可", "done"), ("复核入账", "done")]


def test_a_withdrawn_one_ends_where_it_was(money: Money, web: Any) -> None:
    money.pay(1_000)
    made = money.draft()
    client = web(person(Role.CHECKER, money.bank, "li"))
    assert taken(send(client, PAGE, "take-back", made, why="口径有误"))
    found = client.get(url(PAGE, "change", made)).context["stages"]
    assert [(str(one.title), one.standing) for one in found] == [
        ("起草", "done"),
        ("已撤回", "off"),
    ]


def test_nobody_submits_their_own(money: Money, web: Any) -> None:
    money.pay(1_000)
    one, other = two(web, money.bank)
    assert taken(draft(one, money))
    made = Settlement.objects.get().pk
    become("one", Role.CHECKER)
    before = everything()
    assert "须由他人复核后提交" in faults(send(one, PAGE, "submit", made))[""]
    assert everything() == before
    assert taken(send(other, PAGE, "submit", made))
    before = everything()
    assert "现为“已提交”" in faults(send(other, PAGE, "submit", made))[""]
    assert everything() == before


def test_a_withdrawal_says_why(money: Money, web: Any) -> None:
    money.pay(1_000)
    made = money.draft()
    client = web(person(Role.CHECKER, money.bank, name="checker"))
    before = everything()
    assert list(faults(send(client, PAGE, "take-back", made, why=" "))) == ["why"]
    assert everything() == before
    assert taken(send(client, PAGE, "take-back", made, why="口径有误"))
    found = Settlement.objects.get()
    assert (found.state, found.withdrawn_by, found.withdrawn_why) == (
        "withdrawn", "checker", "口径有误",
    )  # fmt: skip
    assert "口径有误" in client.get(url(PAGE, "change", made)).content.decode()


def test_who_may_not_make_or_check(money: Money, web: Any) -> None:
    money.pay(1_000)
    made = money.draft()
    before = everything()
    for role in (Role.CHECKER, Role.AUDITOR, Role.FINANCE_VIEWER):
        client = web(person(role, money.bank))
        assert draft(client, money).status_code == 403
        assert send(client, PAGE, "decide", made).status_code == 403
    client = web(person(Role.MAKER, money.bank))
    for step in ("submit", "book"):
        assert send(client, PAGE, step, made).status_code == 403
    confirm(client, PAGE, "submit_to_finance", made)
    assert everything() == before


def test_another_banks_settlement_is_not_there(money: Money, web: Any) -> None:
    money.pay(1_000)
    made = money.draft()
    other = Institution.objects.get(code=rows.OTHER)
    client = web(person(Role.CHECKER, other, "stranger"))
    before = everything()
    for step in ("submit", "book", "take-back", "withdraw", "decide"):
        become("stranger", Role.MAKER if step in ("withdraw", "decide") else Role.CHECKER)
        assert client.get(address(PAGE, step, made)).status_code == 404
        assert send(client, PAGE, step, made, why="x").status_code == 404
    assert sorted(faults(draft(client, money))) == ["institution", "scheme"]
    assert everything() == before


def test_a_booking_that_cannot_be_says_so_beforehand(money: Money, web: Any) -> None:
    money.receive(2_000)
    money.pay(500)
    made = money.draft(Ask(None))
    assert made is not None
    settlements.submit(settlement_id=made, actor="checker", at=AT)
    one, other = two(web, money.bank)
    one.get(url(PAGE))
    assert taken(decide(one, made, "5.00"))
    money.pay(100)
    page = other.get(address(PAGE, "book", made)).content.decode()
    assert "专户可用余额不足以退回结余" in page
    before = everything()
    assert "专户可用余额不足" in faults(send(other, PAGE, "book", made))[""]
    assert everything() == before


def test_a_decision_that_nobody_has_looked_at_is_not_booked(money: Money, web: Any) -> None:
    money.pay(500)
    made = money.draft()
    assert made is not None
    settlements.submit(settlement_id=made, actor="checker", at=AT)
    one, other = two(web, money.bank)
    one.get(url(PAGE))
    assert taken(decide(one, made, "5.00"))
    form = other.get(address(PAGE, "book", made)).context["form"]
    seen = form["seen"].value()
    assert taken(decide(one, made, "1.00"))
    before = everything()
    assert "有变化，请重新核对" in faults(send(other, PAGE, "book", made, seen=seen))[""]
    assert everything() == before
    again = other.get(address(PAGE, "book", made)).context["form"]["seen"].value()
    assert taken(send(other, PAGE, "book", made, seen=again))


def test_a_draft_is_withdrawn_by_its_maker_alone(money: Money, web: Any) -> None:
    money.pay(500)
    made = money.draft()
    colleague, checker = two(web, money.bank)
    maker = web(person(Role.MAKER, money.bank, "maker"))
    before = everything()
    assert address(PAGE, "withdraw", made) not in page_of(colleague, made)
    assert "由其本人撤回" in faults(send(colleague, PAGE, "withdraw", made, why="x"))[""]
    assert list(faults(send(maker, PAGE, "withdraw", made, why=" "))) == ["why"]
    assert send(checker, PAGE, "withdraw", made, why="x").status_code == 403
    assert everything() == before
    assert taken(send(maker, PAGE, "withdraw", made, why="口径有误"))
    found = Settlement.objects.get()
    assert (found.state, found.withdrawn_by, found.withdrawn_why) == (
        "withdrawn",
        "maker",
        "口径有误",
    )
    assert "口径有误" in page_of(colleague, made)


def test_what_was_submitted_is_taken_back_by_another_than_drafted_it(
    money: Money, web: Any
) -> None:
    money.pay(500)
    made = money.draft()
    assert made is not None
    settlements.submit(settlement_id=made, actor="checker", at=AT)
    maker = web(person(Role.MAKER, money.bank, "maker"))
    _other, checker = two(web, money.bank)
    before = everything()
    assert send(maker, PAGE, "take-back", made, why="x").status_code == 403
    assert "现为“已提交”" in faults(send(maker, PAGE, "withdraw", made, why="x"))[""]
    become("maker", Role.CHECKER)
    assert "须由他人退回或撤回" in faults(send(maker, PAGE, "take-back", made, why="x"))[""]
    with pytest.raises(IntegrityError), transaction.atomic():
        Settlement.objects.filter(pk=made).update(
            state="withdrawn", withdrawn_by="maker", withdrawn_at=AT, withdrawn_why="x"
        )
    page = checker.get(address(PAGE, "take-back", made)).content.decode()
    for text in ("撤回前后", "已提交", "已撤回", "5.00"):
        assert text in page, text
    assert everything() == before
    assert taken(send(checker, PAGE, "take-back", made, why="财政要求重报"))
    found = Settlement.objects.get()
    assert (found.state, found.withdrawn_by, found.made_by) == ("withdrawn", "two", "maker")
    assert found.withdrawn_at is not None


def page_of(client: Any, pk: int | None) -> str:
    return str(client.get(url(PAGE, "change", pk)).content.decode())
