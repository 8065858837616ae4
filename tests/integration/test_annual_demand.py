"""The forecast and the annual demand on books in the database: amounts by hand, and the runs to come."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.core.management import CommandError, call_command

from config.kernel.models import Institution
from reports.definitions.period import parse
from reports.definitions.sheet import Sheet
from reports.services.build_annual_demand import build
from reports.services.catalogue import BUILDERS, Asked
from settlement.engine import assess
from settlement.models import Deduction, Event, Plan, Scheme
from settlement.services import funds, groups
from settlement.services.assessments import assess_notes
from settlement.services.forecasts import Assumed, forecast_days
from settlement.services.funds import FundKey, Posting
from settlement.services.plans import check_plan, make_plans
from tests.integration.book import AT, PORTFOLIO, import_folder, import_rows, load_shipped, run
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, SmallBook
from tests.reference.facts import yuan
from tests.unit.engine.interest_to_come import interest_to_come
from tests.unit.engine.portfolio import facts_of, read, shipped_terms

pytestmark = pytest.mark.django_db

HEAD = NORTH.replace("320100", "110000")
YEAR = (date(2027, 1, 1), date(2028, 1, 1))
TIERS = ("central", "provincial", "municipal")


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    """Two banks with a note each from 2026-01-05: a day earns 100.00 of municipal money."""
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST)
    book.lend("B", SECOND, at=SOUTH)
    assess_notes(at=AT)
    return book


def asked(code: str, period: str, scheme: str | None = None) -> Asked:
    place, found = Institution.objects.get(code=code), parse(period)
    assert found is not None
    return Asked(found, place.id, place.code, place.name, place.scope, scheme)


def rows(sheet: Sheet, key: str, *columns: str) -> list[tuple[Any, ...]]:
    table = next(one for one in sheet.tables if one.key == key)
    return pl.concat(table.parts()).select(columns).rows()


def receive(yuan: int, on: date, year: int) -> None:
    key = FundKey(Institution.objects.get(code=HEAD).id, Scheme.objects.get().pk, "municipal")
    posting = Posting(Event.PRE_ALLOCATION, on, "文号", on.toordinal(), "maker")
    funds.receive(key=key, amount_fen=yuan * 100, posting=posting, year=year)


def test_it_is_one_of_the_reports(book: SmallBook) -> None:
    sheet = BUILDERS["annual-demand"](asked(HEAD, "2026"))
    assert rows(
        sheet, "summary", "fund_code", "tier", "existing_fen", "coming_fen", "apply_fen"
    ) == [
        (
            HEAD,
            "市级",
            350 * 100_00,
            0,
            350 * 100_00,
        )  # 2026-01-05 to 12-21; the other bank's is not in it
    ]
    assert (sheet.heading.title_zh, sheet.heading.unit_zh) == ("年度资金需求申请", "万元")
    assert all(tie.holds for tie in sheet.ties)


def test_lending_like_the_year_befores_is_expected_with_growth(book: SmallBook) -> None:
    assumed = Assumed(growth_ppm=100_000)
    sheet = build(asked(HEAD, "2027"), assumed=assumed)
    assert rows(
        sheet, "by_branch", "institution_code", "existing_fen", "coming_fen", "total_fen"
    ) == [(NORTH, 365 * 100_00, 350 * 110_00, 365 * 100_00 + 350 * 110_00)]
    assert rows(sheet, "lending", "month", "notes", "base_fen", "expected_fen") == [
        (date(2027, 1, 1), 1, 3_600_000_00, 3_960_000_00)
    ]
    june = build(asked(NORTH, "2027-06"), assumed=assumed)
    assert rows(june, "by_day", "due_on", "existing_fen", "coming_fen") == [
        (date(2027, 6, 20), 31 * 100_00, 31 * 110_00)
    ]
    only = build(asked(HEAD, "2027"), assumed=Assumed(growth_ppm=None))
    assert rows(only, "summary", "existing_fen", "coming_fen") == [(365 * 100_00, 0)]
    assert "未计预计新增放款（仅现有贷款）。" in only.footnotes


def test_what_earlier_years_left_is_taken_off(book: SmallBook) -> None:
    receive(3_000, date(2026, 2, 1), 2026)
    book.collect("A", 3)  # 1,000.00 of it is used
    run()
    receive(500, date(2027, 1, 15), 2027)
    sheet = build(asked(HEAD, "2027"), assumed=Assumed(growth_ppm=None))
    assert rows(sheet, "summary", "total_fen", "less_fen", "apply_fen") == [
        (36_500_00, 2_000_00, 34_500_00)
    ]


def test_the_advance_counts_what_is_there_and_what_the_bank_advanced(book: SmallBook) -> None:
    receive(600, date(2026, 2, 1), 2026)
    book.collect("A", 3)  # to 03-11: 1,000.00, of which the bank advances 400.00
    run()
    columns = ("due_on", "total_fen", "available_fen", "first_owed_fen", "gap_fen")
    spring = [
        (date(2026, 4, 20), 31 * 100_00, 0, 400_00, 31 * 100_00 + 400_00),  # March has had its day
        (date(2026, 5, 20), 30 * 100_00, 0, 0, 30 * 100_00),
        (date(2026, 6, 20), 31 * 100_00, 0, 0, 31 * 100_00),
    ]
    assert rows(build(asked(HEAD, "2026-Q2")), "by_day", *columns) == spring
    receive(6_000, date(2026, 4, 1), 2026)  # 5,600.00 are left of it
    assert rows(build(asked(HEAD, "2026-Q2")), "by_day", *columns) == [
        (date(2026, 4, 20), 31 * 100_00, 5_600_00, 0, 0),
        (date(2026, 5, 20), 30 * 100_00, 2_500_00, 0, 500_00),
        (date(2026, 6, 20), 31 * 100_00, 0, 0, 31 * 100_00),
    ]


def test_planned_collections_and_what_is_reserved_for_them(book: SmallBook) -> None:
    receive(3_000, date(2026, 2, 1), 2026)
    book.collect("A", 3)
    run()
    book.collect("A", 4, paid="")  # ten days to 04-11, 1,000.00
    (plan,) = make_plans(through=date(2026, 4, 30), actor="maker", at=AT)
    check_plan(plan_id=plan, actor="checker", at=AT)
    assert Plan.objects.get().state == "checked"
    sheet = build(asked(HEAD, "2026-04"))
    # from 03-21 to 04-01 and 04-11 to 04-21 on the 20th, the plan's ten days on the 11th
    assert rows(sheet, "by_day", "total_fen", "earlier_fen", "held_fen", "available_fen", "gap_fen") == [
        (31 * 100_00, 10 * 100_00, 1_000_00, 1_000_00, 11 * 100_00)
    ]  # fmt: skip
    assert rows(build(asked(HEAD, "2026-05")), "by_day", "held_fen", "available_fen") == [
        (0, 1_000_00)
    ]


def test_money_must_be_there_on_the_last_working_day_before(book: SmallBook) -> None:
    sheet = build(asked(HEAD, "2026"))
    days = dict(rows(sheet, "by_day", "due_on", "arrive_by"))
    # 2026-02-20 and 06-20 lie in holidays, 09-20 is a make-up working Sunday after a Saturday off
    assert [days[date(2026, month, 20)] for month in (1, 2, 6, 9)] == [
        date(2026, 1, 19), date(2026, 2, 14), date(2026, 6, 18), date(2026, 9, 18),
    ]  # fmt: skip
    assert not any("节假日" in note for note in sheet.footnotes)
    later = build(asked(HEAD, "2027-03"))
    assert rows(later, "by_day", "due_on", "arrive_by") == [(date(2027, 3, 20), None)]
    assert any("2027年节假日安排尚未导入" in note for note in later.footnotes)


def test_a_branch_is_told_whose_money_pays(book: SmallBook) -> None:
    receive(600, date(2026, 2, 1), 2026)
    sheet = build(asked(NORTH, "2026"))
    assert rows(sheet, "summary", "fund_code", "existing_fen", "less_fen") == [
        (HEAD, 350 * 100_00, 0)
    ]
    assert any("由甲银行管理" in note for note in sheet.footnotes)


def test_the_command_prints_needs_gaps_and_assumptions(book: SmallBook) -> None:
    said = printed("--period", "2027-02", "--institution", HEAD, "--growth", "10")
    assert said[0] == "甲银行 2027年2月 单位：元 yuan"
    day = next(line.split() for line in said if "2027-02-20" in line)
    # code, fund, its name, tier, day, existing, expected, total; of the latter four none is there
    assert day[1:] == [HEAD, "甲银行", "市级", "2027-02-20", "—", "3,100.00", "3,410.00", "6,510.00",
                       "0.00", "0.00", "0.00", "0.00", "6,510.00"]  # fmt: skip
    assert any("（1＋10%）" in line for line in said)
    only = printed("--period", "2027-02", "--institution", HEAD, "--existing-only", "--quarterly")
    assert not any("2027-02-20" in line for line in only)
    assert "未计预计新增放款（仅现有贷款）。" in only
    assert len(only) < len(said)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--period", "2027"], "请用 --institution"),
        (["--period", "2027-13", "--institution", HEAD], "报告期"),
        (["--period", "2027", "--institution", "nope"], "未登记的机构编码"),
        (["--period", "2027", "--institution", HEAD, "--scheme", "nope"], "未装载的贴息政策"),
        (["--period", "2027", "--institution", HEAD, "--growth", "1e3"], "1e3"),
        (["--period", "2027", "--institution", HEAD, "--growth", "-101"], "-101"),
        (
            ["--period", "2027", "--institution", HEAD, "--growth", "5", "--existing-only"],
            "--growth",
        ),
        (["--period", "2027", "--institution", HEAD, "--base-year", "2026-01"], "2026-01"),
    ],
)
def test_wrong_questions_are_refused(book: SmallBook, arguments: list[str], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        printed(*arguments)


def printed(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("forecast", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue().splitlines()


def test_chunks_and_scopes_add_up_to_the_whole(
    book: SmallBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = forecast_days(start=YEAR[0], end=YEAR[1])
    monkeypatch.setattr(groups, "CHUNK_NOTES", 1)
    again = forecast_days(start=YEAR[0], end=YEAR[1])
    assert again.existing.equals(whole.existing)
    parts = [
        forecast_days(start=YEAR[0], end=YEAR[1], scope=Institution.objects.get(code=code).scope)
        for code in (NORTH, SOUTH)
    ]
    for name in ("existing", "coming", "drawdowns"):
        found = pl.concat(getattr(part, name) for part in parts)
        assert found.sort(found.columns).equals(getattr(whole, name).sort(found.columns))
    assert int(whole.existing["municipal_fen"].sum()) == 2 * 365 * 100_00


def test_the_web_role_forecasts_its_own_institutions_alone(
    book: SmallBook, as_role: Callable[..., AbstractContextManager[None]]
) -> None:
    north = Institution.objects.get(code=NORTH)
    with as_role("app", north):
        found = forecast_days(start=YEAR[0], end=YEAR[1])
    assert found.existing["institution_id"].unique().to_list() == [north.id]
    assert int(found.existing["municipal_fen"].sum()) == 365 * 100_00
    assert found.drawdowns["institution_id"].to_list() == [north.id]


def _by_place(frame: pl.DataFrame) -> Counter[tuple[Any, ...]]:
    found: Counter[tuple[Any, ...]] = Counter()
    columns = ["scheme_code", "institution_id", "collected_on", *(f"{t}_fen" for t in TIERS)]
    for *key, a, b, c in frame.select(columns).iter_rows():
        found.update({(*key, tier): fen for tier, fen in zip(TIERS, (a, b, c), strict=True) if fen})
    return found


@pytest.mark.parametrize("span", [YEAR, (date(2026, 9, 1), date(2026, 10, 1))])
def test_paid_as_forecast_a_run_posts_what_was_forecast(
    tmp_path: Path, span: tuple[date, date]
) -> None:
    """The portfolio up to a day, then every note's interest as it falls due: the same to the fen."""
    start, end = span
    load_shipped()
    files = read(PORTFOLIO)
    known = [r for r in files["interest-collections"] if r["collected_on"] < start.isoformat()]
    for kind in PORTFOLIO.glob("*.csv"):
        if kind.stem != "interest-collections":
            (tmp_path / kind.name).write_bytes(kind.read_bytes())
    _write(tmp_path / "interest-collections.csv", known)
    import_folder(tmp_path)
    run()
    found = forecast_days(start=start, end=end, assumed=Assumed(growth_ppm=None))
    facts, of = facts_of({**files, "interest-collections": known})
    frames = of(assess(terms=shipped_terms(), facts=facts))
    import_rows(
        "interest-collections",
        [_row(files["notes"][row[1] - 1], row) for row in interest_to_come(frames, start, end)],
        tmp_path,
    )
    run()
    posted = deductions_since(start)
    assert _by_place(found.existing) == _by_place(posted)
    assert sum(_by_place(posted).values()) > 1_000_000_00


def _write(path: Path, listed: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=list(listed[0]))
        writer.writeheader()
        writer.writerows(listed)


def _row(note: dict[str, str], row: tuple[Any, ...]) -> dict[str, Any]:
    number, _, first, stop, due, paid, on, _ = row
    return {
        "institution_code": note["institution_code"], "note_number": note["note_number"],
        "period_start": first, "period_end": stop, "interest_due": yuan(due),
        "interest_paid": yuan(paid), "collected_on": on, "reference": f"Y{number}",
    }  # fmt: skip


def deductions_since(start: date) -> pl.DataFrame:
    """What is posted of collections from a day on, by scheme, branch and day."""
    found = Deduction.objects.filter(collected_on__gte=start).values_list(
        "scheme__code", "institution_id", "collected_on", *(f"{tier}_fen" for tier in TIERS)
    )
    schema = {
        "scheme_code": pl.String, "institution_id": pl.Int64, "collected_on": pl.Date,
        **{f"{tier}_fen": pl.Int64 for tier in TIERS},
    }  # fmt: skip
    return pl.DataFrame(list(found), schema=schema, orient="row")
