"""`settle`, `liquidate`, the export and the pages, on a small book."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config.kernel.models import Institution, Role, User
from settlement.models import Event, Scheme, Settlement, SettlementItem
from settlement.services import funds, settlements
from settlement.services.assessments import assess_notes
from settlement.services.forecasts import needs_of_year
from settlement.services.funds import FundKey, Posting
from tests.integration.book import AT, exported
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, SmallBook

pytestmark = pytest.mark.django_db

NORTH_HEAD, SOUTH_HEAD = (code.replace("320100", "110000") for code in (NORTH, SOUTH))


def command(*arguments: Any) -> str:
    out = io.StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    """Two banks with a note each, and 20,000.00 of money at both heads."""
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST)
    book.lend("B", SECOND, at=SOUTH)
    assess_notes(at=AT)
    scheme = Scheme.objects.get(code="test")
    for number, head in enumerate((NORTH_HEAD, SOUTH_HEAD), start=1):
        key = FundKey(Institution.objects.get(code=head).id, scheme.pk, "municipal")
        posting = Posting(Event.PRE_ALLOCATION, date(2026, 2, number), "文号", number, "maker")
        funds.receive(key=key, amount_fen=2_000_000, posting=posting, year=2026)
    return book


def items() -> list[tuple[Any, ...]]:
    made = SettlementItem.objects.exclude(settlement__state="withdrawn").order_by("institution_id")
    names = ("institution__code", "received_fen", "surplus_fen", "next_year_need_fen")
    return list(made.values_list(*names))


def test_settle_drafts_at_every_institution_and_repeats_without_doubling(
    book: SmallBook, tmp_path: Path
) -> None:
    said = command("settle", "--scheme", "test", "--year", "2026", "--final")
    # 3,600,000 × 1 % × 365 ÷ 360
    assert items() == [
        (NORTH_HEAD, 2_000_000, 2_000_000, 3_650_000), (SOUTH_HEAD, 2_000_000, 2_000_000, 3_650_000),
    ]  # fmt: skip
    total = said.splitlines()[-1].split()
    assert total[:4] == ["合计", "total", "0.00", "40,000.00"]
    assert total[-1] == "73,000.00"
    assert command("settle", "--scheme", "test", "--year", "2026", "--final") == said
    rows = exported("settlements", tmp_path)
    assert [(r["institution_code"], r["year"], r["part"], r["is_final"]) for r in rows] == [
        (NORTH_HEAD, "2026", "1", "yes"),
        (SOUTH_HEAD, "2026", "1", "yes"),
    ]
    assert (rows[0]["carry_over"], rows[0]["next_year_need"]) == ("20000.00", "36500.00")


def test_a_refusal_at_one_bank_stops_no_other(book: SmallBook) -> None:
    command("settle", "--scheme", "test", "--year", "2026", "--institution", NORTH_HEAD)
    made = Settlement.objects.get()
    settlements.submit(settlement_id=made.pk, actor="checker", at=AT)
    with pytest.raises(CommandError, match="尚有未办结的结算"):
        command("settle", "--scheme", "test", "--year", "2026")
    assert [row[0] for row in items()] == [NORTH_HEAD, SOUTH_HEAD]


def test_a_part_takes_what_was_posted_by_a_day(book: SmallBook) -> None:
    command("settle", "--scheme", "test", "--year", "2026", "--through", "2026-02-01")
    assert [row[:3] for row in items()] == [(NORTH_HEAD, 2_000_000, 2_000_000)]


def test_liquidate_drafts_everything_left_without_a_need(book: SmallBook) -> None:
    said = command("liquidate", "--scheme", "test")
    assert [row[1:] for row in items()] == [(2_000_000, 2_000_000, 0)] * 2
    assert said.splitlines()[-1].split()[-4:] == ["40,000.00", "0.00", "0.00", "0.00"]
    assert set(Settlement.objects.values_list("kind", "year", "is_final")) == {
        ("liquidation", None, False)
    }


def test_needs_follow_the_fund_level(book: SmallBook) -> None:
    north, south = (Institution.objects.get(code=c).id for c in (NORTH_HEAD, SOUTH_HEAD))
    needs = needs_of_year(scheme_code="test", year=2027)
    assert {key: fen for key, fen in needs.items() if fen} == {
        (north, "municipal"): 3_650_000,
        (south, "municipal"): 3_650_000,
    }
    Institution.objects.filter(code=NORTH).update(level="provincial")
    branch = Institution.objects.get(code=NORTH).id
    assert needs_of_year(scheme_code="test", year=2027)[branch, "municipal"] == 3_650_000
    assert needs_of_year(scheme_code="unknown", year=2027) == {}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("settle", "--scheme", "nope", "--year", "2026"), "未装载的贴息政策"),
        (("liquidate", "--scheme", "nope"), "未装载的贴息政策"),
        (("settle", "--scheme", "test", "--year", "20266"), "a year of"),
        (("settle", "--scheme", "test", "--year", "2026", "--final", "--through", "2026-03-01"), "--final"),
        (("settle", "--scheme", "test", "--year", "2026", "--institution", "nope"), "未登记的机构编码"),
        (("settle", "--scheme", "test", "--year", "2026", "--actor", "viewer"), "不能执行此命令"),
    ],
)  # fmt: skip
def test_wrong_questions_are_refused(book: SmallBook, arguments: tuple[str, ...], why: str) -> None:
    User.objects.create_user("viewer", role=Role.FINANCE_VIEWER)
    with pytest.raises(CommandError, match=why):
        command(*arguments)
    assert not Settlement.objects.exists()


def test_a_year_without_entries_has_nothing_to_settle(book: SmallBook) -> None:
    assert "nothing to settle" in command("settle", "--scheme", "test", "--year", "2025")
    assert not Settlement.objects.exists()
