"""Settlements in the admin: submitted, decided and booked by different people; nothing else changes."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

import pytest

from config.kernel.models import Role
from settlement.models import Settlement, SettlementItem
from tests.integration.test_admin import person, url, web  # noqa: F401
from tests.integration.test_settlements import Money, everything, money  # noqa: F401

pytestmark = pytest.mark.django_db

LABEL = "settlement.settlement"


def act(client, action, pk):
    response = client.post(url(LABEL), {"action": action, "_selected_action": pk}, follow=True)
    return [str(message) for message in response.context["messages"]]


def decide(client, pk, **values):
    item = SettlementItem.objects.get(settlement_id=pk)
    data = {"document_number": "财批1号", "decided_on": "2027-02-18", f"approved_{item.pk}": "9.00"}
    data |= {name.replace("approved", f"approved_{item.pk}"): v for name, v in values.items()}
    response = client.post(url(LABEL, "decide", pk), data, follow=True)
    return [str(message) for message in response.context["messages"]]


def test_three_steps_by_two_people(money: Money, web) -> None:
    money.pay(1_000)
    made = money.draft()
    one, two = (web(person(Role.ADMINISTRATOR, name=name)) for name in ("one", "two"))
    assert act(one, "submit_to_finance", made) == [f"#{made} 已提交"]
    page = one.get(url(LABEL, "change", made)).content.decode()
    assert "decision-form" in page and 'value="10.00"' in page
    before = everything()
    assert "认可额须在 0 与申报额之间" in decide(one, made, approved="10.01")[0]
    assert "不是数字" in decide(one, made, approved="x")[0]
    assert len(decide(one, made, document_number="", decided_on="")) == 2
    assert everything() == before
    assert decide(one, made) == ["批复已录入，待他人复核入账"]
    assert "批复录入人不能复核入账" in act(one, "book_decision", made)[0]
    assert act(two, "book_decision", made) == [f"#{made} 已入账"]
    assert money.balances() == (0, 900, 0, -1_000, 0, 100)
    assert "现为“已入账”" in act(two, "take_back", made)[0]
    assert "decision-form" not in two.get(url(LABEL, "change", made)).content.decode()


def test_who_may_not_decide_or_check(money: Money, web) -> None:
    money.pay(1_000)
    made = money.draft()
    before = everything()
    for role in (Role.CHECKER, Role.AUDITOR, Role.FINANCE_VIEWER):
        client = web(person(role, money.bank))
        assert client.post(url(LABEL, "decide", made)).status_code == 403
    client = web(person(Role.MAKER, money.bank))
    assert client.get(url(LABEL, "decide", made)).status_code == 403
    act(client, "submit_to_finance", made)
    assert everything() == before
    checker = web(person(Role.CHECKER, money.bank, name="checker"))
    assert act(checker, "take_back", made) == [f"#{made} 已撤回"]
    assert Settlement.objects.get().withdrawn_by == "checker"
