"""The home page's money: exact, of one's own institutions, each figure with its rows."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from config.kernel.models import Institution, Role
from loans import models as loans
from loans.values.money import grouped_yuan
from settlement import models as settlement
from settlement.engine import entries
from settlement.models import Event, Scheme
from settlement.services import funds
from settlement.services.funds import FundKey, Posting
from tests.integration import rows
from tests.integration.home_page import HOME, addresses, listed, plain
from tests.integration.rows import BANK, NANJING, OTHER, SUZHOU
from tests.integration.test_admin import complete_book, person, web  # noqa: F401

Web = Callable[[Any], Client]

pytestmark = pytest.mark.django_db

TODAY = date(2026, 6, 15)


class Book:
    """Money of one fund moved by hand, each movement in a month of 2026."""

    def __init__(self, place: Institution, scheme: Scheme, tier: str = "central") -> None:
        self.key = FundKey(place.id, scheme.pk, tier)
        self.count = 0

    def receive(self, fen: int, on: date) -> None:
        """Finance's money, booked on another day than it arrived."""
        self.count += 1
        arrived = loans.PreAllocation.objects.create(
            institution_id=self.key.institution_id, scheme_code="central-sme-2026",
            tier=self.key.tier, received_on=on, amount_fen=fen, document_number=f"文{on}",
        )  # fmt: skip
        settlement.Receipt.objects.create(
            institution_id=self.key.institution_id, pre_allocation=arrived, made_by="maker",
            made_at=rows.AT, checked_by="checker", checked_at=rows.AT,
        )  # fmt: skip
        posting = Posting(
            Event.PRE_ALLOCATION, on + timedelta(days=40), "文", arrived.pk, "checker"
        )
        funds.receive(key=self.key, amount_fen=fen, posting=posting, year=on.year)

    def move(self, event: Event, month: int, fen: int, *, offset: int = 0) -> None:
        """A deduction, or what a recomputation lowered."""
        self.count += 1
        fund_id = funds.open_funds(keys=[self.key])[self.key]
        fund = funds.lock(fund_ids=[fund_id])[fund_id]
        lines = (
            entries.deduction(fen, offset_fen=offset, available_fen=fund.available_fen)
            if event == Event.DEDUCTION
            else entries.negative_difference(fen)
        )
        posting = Posting(event, date(2026, 6, 14), "试验", self.count, "system")
        funds.post(fund=fund, posting=posting, lines=lines, year=2026, month=date(2026, month, 1))

    def use(self, month: int, fen: int, *, offset: int = 0) -> None:
        """Subsidies of a month."""
        self.move(Event.DEDUCTION, month, fen, offset=offset)


@pytest.fixture
def tree() -> dict[str, Institution]:
    return rows.institutions()


@pytest.fixture
def money(tree: dict[str, Institution]) -> dict[str, Institution]:
    """10,000 yuan of the bank: 960 used, 10 of it offset, 50 lowered again; 7.77 yuan elsewhere."""
    scheme = rows.scheme_version().scheme
    loans.SchemeLabel.objects.create(code=scheme.code, name=scheme.name)
    own = Book(tree[BANK], scheme)
    own.receive(1_000_000, date(2026, 1, 10))
    own.use(2, 4_000)
    own.use(3, 30_000)
    own.use(4, 20_000)
    own.move(Event.NEGATIVE_DIFFERENCE, 4, 5_000)
    own.use(5, 40_000, offset=1_000)
    own.use(6, 2_000)
    Book(tree[OTHER], scheme).receive(777, date(2026, 5, 2))
    return tree


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.admin.home.timezone", SimpleNamespace(localdate=lambda: TODAY))


def net(entries_: list[Any], account: str, *, event: str = "") -> int:
    """What these entries add to an account, in fen: debits less credits."""
    sides = settlement.LedgerLine.objects.filter(
        entry__in=[one.pk for one in entries_ if event in ("", one.event)], account=account
    )
    return sum(side.debit_fen - side.credit_fen for side in sides)


def test_money_by_scheme_and_tier_to_the_fen(money: dict[str, Institution], web: Web) -> None:
    client = web(person(Role.CHECKER, money[BANK]))
    context = client.get(HOME).context
    (section,) = context["money"]
    # 92 days took 890 yuan without the offset; 9,050 yuan are left for 935 such days.
    line = ["10,000.00", "910.00", "0.00", "0.00", "9,050.00", "0.00"]
    assert plain(section) == [
        ["中小微企业贷款贴息", "中央", *line, "296.67", "2029-01-05"],
        ["合计", "", *line, "", ""],
    ]
    received, used, returned, reserved, available, advance, rate, end = addresses(section)[0][2:]
    assert listed(client, returned) == []
    assert net(listed(client, received), "treasury_advance") == -1_000_000
    assert net(listed(client, used), "subsidy_applied") == 91_000
    assert listed(client, reserved) == []
    assert [fund.available_fen for fund in listed(client, available)] == [905_000]
    assert [fund.bank_advance_fen for fund in listed(client, advance)] == [0]
    spent = listed(client, rate)
    assert -net(spent, "special_account") == 89_000 == 3 * 29_667 - 1
    assert client.get(end).status_code == 200
    for address in addresses(section)[1][2:8]:
        assert client.get(address).status_code == 200


def test_the_fund_that_ends_first_is_named_and_an_advance_says_so(
    money: dict[str, Institution], web: Web
) -> None:
    scheme = rows.scheme_version().scheme
    poor = Book(money[NANJING], scheme)
    poor.receive(10_000, date(2026, 1, 10))
    poor.use(5, 6_200)
    client = web(person(Role.AUDITOR, money[BANK]))
    (section,) = client.get(HOME).context["money"]
    # May alone: 31 days took 62 yuan, 38 yuan last 19 days.
    assert plain(section)[0][-2:] == ["317.33", "2026-07-04"]
    fund = settlement.Fund.objects.get(institution=money[NANJING])
    assert addresses(section)[0][-1] == reverse("admin:settlement_fund_change", args=[fund.pk])
    assert 'title="甲银行南京分行"' in section.rows[0][-1]
    poor.use(5, 4_800)
    (section,) = client.get(HOME).context["money"]
    assert plain(section)[0][2:] == [
        "10,100.00", "1,020.00", "0.00", "0.00", "9,050.00", "10.00", "333.33", "已不足",
    ]  # fmt: skip


def test_money_given_back_is_shown_and_leads_to_its_entries(
    money: dict[str, Institution], web: Web
) -> None:
    key = FundKey(money[BANK].id, rows.scheme_version().scheme.pk, "central")
    fund_id = funds.open_funds(keys=[key])[key]
    fund = funds.lock(fund_ids=[fund_id])[fund_id]
    posting = Posting(Event.SURPLUS_RETURNED, date(2026, 6, 14), "结余", 1, "checker")
    funds.post(fund=fund, posting=posting, lines=entries.surplus_returned(200_000), year=2026)
    client = web(person(Role.MAKER, money[BANK]))
    (section,) = client.get(HOME).context["money"]
    # received − used − given back + what enterprises owe for the 50 lowered, less 10 offset
    assert plain(section)[0][2:8] == ["10,000.00", "910.00", "2,000.00", "0.00", "7,050.00", "0.00"]
    assert plain(section)[1][4] == "2,000.00"
    for place in (0, 1):
        (entry,) = listed(client, addresses(section)[place][4])
        assert (entry.event, net([entry], "special_account")) == ("surplus_returned", -200_000)
    (table,) = client.get(HOME).context["tables"]
    assert plain(table)[5][5] == "7,050.00"


def test_finance_is_led_to_no_plans(money: dict[str, Institution], web: Web) -> None:
    client = web(person(Role.FINANCE_VIEWER, money[BANK]))
    (section,) = client.get(HOME).context["money"]
    found = [address for line in addresses(section) for address in line if address]
    assert len(found) == 14
    assert [client.get(address).status_code for address in found] == [200] * 14
    assert "planneddeduction" not in "".join(found)
    (fund,) = listed(client, addresses(section)[0][5])
    assert fund.reserved_fen == 0
    maker = web(person(Role.MAKER, money[BANK])).get(HOME).context["money"][0]
    assert ["planneddeduction" in line[5] for line in addresses(maker)] == [True, True]


def test_money_is_of_ones_own_institutions(money: dict[str, Institution], web: Web) -> None:
    seen = {}
    for code in (OTHER, NANJING):
        context = web(person(Role.FINANCE_VIEWER, money[code])).get(HOME).context
        (seen[code],) = context["money"]
    assert [row[2] for row in plain(seen[OTHER])] == ["7.77", "7.77"]
    assert plain(seen[NANJING]) == []
    assert "资金账" in str(seen[NANJING].empty)
    client = web(person(Role.ADMINISTRATOR))
    assert plain(client.get(HOME).context["money"][0])[-1][2] == "10,007.77"


def test_funds_over_the_year(money: dict[str, Institution], web: Web) -> None:
    client = web(person(Role.MAKER, money[BANK]))
    (table,) = client.get(HOME).context["tables"]
    assert plain(table) == [
        ["2026-01", "10,000.00", "0.00", "10,000.00", "0.00", "10,000.00"],
        ["2026-02", "0.00", "40.00", "10,000.00", "40.00", "9,960.00"],
        ["2026-03", "0.00", "300.00", "10,000.00", "340.00", "9,660.00"],
        ["2026-04", "0.00", "150.00", "10,000.00", "490.00", "9,460.00"],
        ["2026-05", "0.00", "400.00", "10,000.00", "890.00", "9,070.00"],
        ["2026-06", "0.00", "20.00", "10,000.00", "910.00", "9,050.00"],
    ]
    for (received, used), shown in zip(
        [line[1:3] for line in addresses(table)], plain(table), strict=True
    ):
        assert grouped_yuan(-net(listed(client, received), "treasury_advance")) == shown[1]
        assert grouped_yuan(net(listed(client, used), "subsidy_applied")) == shown[2]
    moved = {"flow=received": "treasury_advance", "flow=used": "subsidy_applied"}
    for line, shown in zip(addresses(table), plain(table), strict=True):
        for address, text in zip(line[3:5], shown[3:5], strict=True):
            account = moved[address.partition("?")[2].partition("&")[0]]
            sign = -1 if account == "treasury_advance" else 1
            assert grouped_yuan(sign * net(listed(client, address), account)) == text
        left = listed(client, line[5])
        assert grouped_yuan(net(left, "special_account") + net(left, "bank_advance")) == shown[5]
    chart = client.get(HOME).context["charts"][0]
    assert '"data": [10000, 9960, 9660, 9460, 9070, 9050]' in chart.data


def test_monthly_subsidies_are_of_the_notes_in_sight(
    tree: dict[str, Institution], web: Web
) -> None:
    for code, number in ((NANJING, "N1"), (SUZHOU, "N2"), (OTHER, "N3")):
        note = rows.note(tree[code], number)
        rows.deduction(rows.collection(note))
        rows.deduction(rows.collection(note, date(2026, 5, 21)), central_fen=-456, sequence=1)
    seen = {}
    for code in (BANK, NANJING, OTHER):
        client = web(person(Role.AUDITOR, tree[code]))
        (table,) = client.get(HOME).context["tables"]
        seen[code] = plain(table)
        march = listed(client, addresses(table)[2][1])
        assert {row.collected_on for row in march} == {date(2026, 3, 21)}
        assert grouped_yuan(sum(row.central_fen for row in march)) == plain(table)[2][1]
        assert listed(client, addresses(table)[2][2]) == march
    assert [row[0] for row in seen[BANK]] == [f"2026-0{month}" for month in range(1, 7)]
    assert [row[1:] for row in seen[BANK]] == [
        ["", "0.00"], ["", "0.00"], ["2,469.12", "2,469.12"], ["", "0.00"], ["-9.12", "-9.12"],
        ["", "0.00"],
    ]  # fmt: skip
    assert seen[NANJING] == seen[OTHER]
    assert seen[NANJING][2] == ["2026-03", "1,234.56", "1,234.56"]


def test_a_note_that_moves_takes_its_months_along(tree: dict[str, Institution], web: Web) -> None:
    note = rows.note(tree[NANJING])
    rows.deduction(rows.collection(note))
    stays = rows.note(tree[NANJING], "N2")
    rows.deduction(rows.collection(stays), central_fen=100)
    with connection.cursor() as cursor:
        cursor.execute("SELECT loans_move_note(%s, %s)", [note.pk, tree[OTHER].pk])
    sums = settlement.MonthlySubsidy.objects.order_by("pk")
    assert [(one.institution_id, one.central_fen) for one in sums] == [
        (tree[NANJING].pk, 123_456), (tree[NANJING].pk, 100), (tree[NANJING].pk, -123_456),
        (tree[OTHER].pk, 123_456),
    ]  # fmt: skip
    shown = {}
    for code in (BANK, OTHER):
        (table,) = web(person(Role.MAKER, tree[code])).get(HOME).context["tables"]
        shown[code] = plain(table)[2][1]
    assert shown == {BANK: "1.00", OTHER: "1,234.56"}


def test_other_years_are_chosen_and_nonsense_is_this_year(
    money: dict[str, Institution], web: Web
) -> None:
    Book(money[BANK], rows.scheme_version().scheme).receive(100, date(2024, 12, 31))
    client = web(person(Role.MAKER, money[BANK]))
    context = client.get(HOME).context
    assert [(year, is_shown) for year, _address, is_shown in context["years"]] == [
        (2026, True), (2025, False), (2024, False),
    ]  # fmt: skip
    (table,) = client.get(f"{HOME}?year=2024").context["tables"]
    assert len(table.rows) == 12
    assert plain(table)[11] == ["2024-12", "1.00", "0.00", "1.00", "0.00", "1.00"]
    (table,) = client.get(HOME).context["tables"]
    assert plain(table)[0][5] == "10,001.00"
    entries_ = reverse("admin:settlement_ledgerentry_changelist")
    every = len(listed(client, entries_))
    for span in ("2026-13..2026-14", "..", "2026-01", "2026-01..", "x..2026-01", "%00..2026-01"):
        assert (
            len(client.get(f"{entries_}?moved={span}", follow=True).context["cl"].queryset) == every
        )
    assert listed(client, f"{entries_}?moved=..2024-12") == listed(
        client, f"{entries_}?moved=2024-12..2024-12"
    )
    for text in ("2023", "0", "99999", "abc", "-1", "%00", "２０２４"):
        context = client.get(f"{HOME}?year={text}").context
        assert [year for year, _address, is_shown in context["years"] if is_shown] == [2026], text
