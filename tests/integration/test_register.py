"""The subsidy register: the export's rows with their working, which a recalculation reproduces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import polars as pl
import pytest

from config.kernel.models import Institution
from reports.definitions import register, register_amounts
from reports.definitions.period import parse
from reports.definitions.sheet import Sheet
from reports.selectors.register import register_parts
from reports.services.build_register import build, collected
from reports.services.catalogue import Asked
from settlement.engine.codes import CUT_REASONS
from settlement.services.schemes import load_schemes
from tests.integration import formulas, outside_schemes
from tests.integration.book import (
    AT,
    PORTFOLIO,
    exported,
    hundredths,
    import_folder,
    load_shipped,
    run,
)
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, SmallBook
from tests.reference.portfolios import COVERING_SEEDS, random_portfolio, write

pytestmark = pytest.mark.django_db

AsRole = Callable[..., AbstractContextManager[None]]
YEARS = ("2026", "2027", "2028", "2029")
SAME = (
    "days",
    "product",
    "raw_central",
    "raw_provincial",
    "raw_municipal",
    "central",
    "provincial",
    "municipal",
    "total",
)


def asked(period: str, *, code: str = "", scheme: str | None = None) -> Asked:
    """The whole book, or an institution and what is below it."""
    found = Institution.objects.filter(code=code).first() if code else None
    return Asked(
        period=parse(period),
        institution_id=found.id if found else Institution.objects.order_by("id").first().id,
        institution_code=code,
        institution_name=found.name if found else "全部",
        scope=(found.id, found.last_id) if found else (0, 2**63 - 1),
        scheme_code=scheme,
    )


def rows(sheet: Sheet) -> pl.DataFrame:
    table = sheet.tables[0]
    parts = list(table.parts())
    assert all(part.height for part in parts)
    empty = {
        column.key: pl.String if column.kind == "text" else pl.Int64 for column in table.columns
    }
    return pl.concat(parts) if parts else pl.DataFrame(schema=empty)


def as_exported(frame: pl.DataFrame) -> Counter:
    """What the register says that the export says too."""
    columns = ["scheme_code", "institution_code", "reference"]
    columns += [n if n in ("days", "product") else f"{n}_fen" for n in SAME]
    return Counter(frame.select(columns).rows())


def exports(folder: Path, years: tuple[str, ...] = YEARS) -> Counter:
    return Counter(
        (
            row["scheme_code"], row["institution_code"], row["collection_reference"],
            *(int(row[n]) if n == "days" else hundredths(row[n]) for n in SAME),
        )
        for row in exported("deductions", folder)
        if row["collected_on"][:4] in years
    )  # fmt: skip


def assert_recalculates(sheet: Sheet) -> tuple[int, int]:
    """Every formula gives its cached value, exactly and in binary; rows and those with formulas."""
    count = with_formula = 0
    for number in (formulas.exact, formulas.binary):
        for row, again in formulas.recalculated(sheet.tables[0], number):
            assert again == {key: row[key] for key in again}, row
            count += 1
            with_formula += row["has_formula"]
    return count // 2, with_formula // 2


def sums_of_summary(sheet: Sheet) -> dict[str, int]:
    frame = pl.concat(sheet.tables[1].parts())
    return {key: frame[key].sum() for key in ("raw_fen", "cut_fen", "granted_fen")}


@pytest.fixture
def portfolio() -> None:
    load_shipped()
    import_folder(PORTFOLIO)
    run()


def test_the_shipped_portfolio_is_the_export_with_formulas_on_every_row(
    portfolio: None, tmp_path: Path
) -> None:
    found: Counter = Counter()
    for year in YEARS:
        sheet = build(asked(year))
        frame = rows(sheet)
        found += as_exported(frame)
        assert assert_recalculates(sheet) == (frame.height, frame.height)
        assert set(frame["remark"]) <= {""}
        assert frame["number"].to_list() == list(range(1, frame.height + 1))
        assert sums_of_summary(sheet)["granted_fen"] == frame["total_fen"].sum()
        assert sums_of_summary(sheet)["raw_fen"] == sum(frame[raw].sum() for raw in register.RAW)
        assert all(tie.holds for tie in sheet.ties)
    assert found == exports(tmp_path)
    assert found.total() == 1400


def test_months_quarters_branches_and_schemes_are_parts_of_the_year(portfolio: None) -> None:
    whole = as_exported(rows(build(asked("2026"))))
    months = [rows(build(asked(f"2026-{month:02}"))) for month in range(1, 13)]
    quarters = [rows(build(asked(f"2026-Q{quarter}"))) for quarter in range(1, 5)]
    heads = Institution.objects.filter(parent=None).values_list("code", flat=True)
    banks = [rows(build(asked("2026", code=code))) for code in heads]
    codes = {key[0] for key in whole}
    schemes = [rows(build(asked("2026", scheme=code))) for code in sorted(codes)]
    for parts in (months, quarters, banks, schemes):
        assert sum((as_exported(part) for part in parts), Counter()) == whole


def test_cut_reasons_have_a_name_in_the_order_of_their_bits() -> None:
    names = dict(zip(CUT_REASONS, register.CUTS, strict=True))
    assert names["principal_cap"] == "本金上限"
    assert names["interest_ceiling"] == "利息上限"
    assert names["note_cap"] == "单笔上限"


@pytest.mark.parametrize(("seed", "notes"), COVERING_SEEDS[::4])
def test_random_portfolios_recalculate(seed: int, notes: int, tmp_path: Path) -> None:
    load_shipped()
    write(random_portfolio(seed, notes=notes), tmp_path)
    import_folder(tmp_path)
    run()
    years = sorted({row["collected_on"][:4] for row in exported("deductions", tmp_path)})
    found: Counter = Counter()
    for year in years:
        sheet = build(asked(year))
        found += as_exported(rows(sheet))
        count, with_formula = assert_recalculates(sheet)
        assert with_formula == count
    assert found == exports(tmp_path, tuple(years))
    assert found.total() > 0


def test_schemes_of_other_methods_have_formulas_where_points_decide(tmp_path: Path) -> None:
    """Each of eleven schemes on a note with part payments and a reversal."""
    load_schemes(
        paths=[Path(__file__).parents[1] / "data" / "schemes"],
        actor="system",
        checker="system-checker",
        at=AT,
    )
    outside_schemes.build(tmp_path)
    run()
    remarks: dict[str, set[str]] = {}
    found: Counter = Counter()
    years = sorted({str(year) for year in outside_schemes.YEARS.values()})
    for year in years:
        sheet = build(asked(year))
        assert_recalculates(sheet)
        frame = rows(sheet)
        found += as_exported(frame)
        for code, remark in frame.select("scheme_code", "remark").unique().rows():
            remarks.setdefault(code, set()).add(remark)
    assert found == exports(tmp_path, tuple(years))
    assert {code: said for code, said in remarks.items() if said != {""}} == {
        "chayouqianqi-2018": {register_amounts.PERCENT},
        "shanghang-2022": {register_amounts.PERCENT},
        "dated": {"", register_amounts.CHANGED_RATE},
    }
    assert remarks.keys() == outside_schemes.YEARS.keys()


@pytest.fixture
def small(tmp_path: Path) -> SmallBook:
    """One note that earns 1,000 yuan in ten days of February."""
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST)
    return book


def working(frame: pl.DataFrame) -> list[tuple[object, ...]]:
    """Reference, then in yuan: paid before and to date, earned before and to date, raw, cut, granted."""
    parts = ("before_{}", "to_date_{}", "raw_{}", "cut_{}", "{}")
    columns = ["paid_before_fen", "paid_to_date_fen"]
    columns += [f"{part.format('municipal')}_fen" for part in parts]
    yuan = [f"{column}" for column in columns]
    return [
        (reference, *(fen / 100 if fen % 100 else fen // 100 for fen in amounts))
        for reference, *amounts in frame.select("reference", *yuan).iter_rows()
    ]


def test_part_payments_and_what_takes_them_back_show_their_working(small: SmallBook) -> None:
    for reference, paid in (("P1", "1000.00"), ("P2", "-400.00"), ("P3", "2400.00")):
        small.collect("A", 2, reference=reference, paid=paid)
    run()
    frame = rows(build(asked("2026-02")))
    assert working(frame) == [
        ("P1", 0, 1000, 0, 333.33, 333.33, 0, 333.33),
        ("P2", 1000, 600, 333.33, 200, -133.33, 0, -133.33),
        ("P3", 600, 3000, 200, 1000, 800, 0, 800),
    ]
    assert frame["state"].to_list() == [
        f"{state}；借据有追回" for state in ("已代付", "冲回", "已代付")
    ]
    assert frame["whole_municipal_fen"].to_list() == [100_000] * 3
    assert frame["net_paid_fen"].to_list() == [66_667, -26_667, 160_000]
    assert frame["scheme_zh"].to_list() == ["试验 试验"] * 3
    assert assert_recalculates(build(asked("2026-02"))) == (3, 3)


def test_an_earlier_payment_told_after_the_run_leaves_the_posted_amounts_alone(
    small: SmallBook,
) -> None:
    small.collect("A", 2, reference="B", paid="2000.00")
    run()
    small.collect("A", 2, reference="A", paid="500.00")
    frame = rows(build(asked("2026-02")))
    assert frame["remark"].to_list() == [register_amounts.FACTS_CHANGED]
    assert frame.select("raw_municipal_fen", "municipal_fen", "whole_municipal_fen").rows() == [
        (66_667, 66_667, None)
    ]
    run()
    frame = rows(build(asked("2026-02")))
    assert working(frame) == [
        ("A", 0, 500, 0, 166.67, 166.67, 0, 166.67),
        ("B", 500, 2500, 166.67, 833.33, 666.66, 0, 666.66),
    ]
    assert frame["state"].to_list() == ["已代付；借据有追回", "已代付；更正1次；借据有追回"]


def test_two_schemes_of_one_collection_show_what_the_enterprise_paid_itself(
    small: SmallBook,
) -> None:
    small.scheme(code="second", points="0.5")
    small.lend("B", FIRST, schemes="test;second")
    small.collect("B", 3)
    run()
    for frame in (rows(build(asked("2026-03"))), rows(build(asked("2026-03", scheme="second")))):
        assert set(frame["granted_fen"]) == {150_000}
        assert set(frame["net_paid_fen"]) == {150_000}
    assert frame["municipal_fen"].to_list() == [50_000]


def test_a_cap_shows_reason_and_amount(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    book.scheme(
        more='[[amount_caps]]\nper = "enterprise"\nspan = "year"\nyuan = "1500"\nassumed_because = "test"'
    )
    book.lend("A", FIRST)
    book.collect("A", 2)
    book.collect("A", 3)
    book.collect("A", 4)
    run()
    frame = rows(build(asked("2026")))
    columns = ("raw_municipal_fen", "cut_municipal_fen", "municipal_fen", "cut_reasons", "state")
    assert frame.select(columns).rows() == [
        (100_000, 0, 100_000, "", "已代付"),
        (100_000, 50_000, 50_000, "企业上限", "已代付"),
        (100_000, 100_000, 0, "企业上限", "全额核减"),
    ]
    assert sums_of_summary(build(asked("2026"))) == {
        "raw_fen": 300_000,
        "cut_fen": 150_000,
        "granted_fen": 150_000,
    }


def test_rows_that_changed_since_they_were_added_up_are_refused(small: SmallBook) -> None:
    small.collect("A", 2)
    run()
    sheet = build(asked("2026"))
    small.collect("A", 3)
    run()
    with pytest.raises(AssertionError, match="announced"):
        rows(sheet)


def test_web_staff_see_their_own_banks_rows_alone(tmp_path: Path, as_role: AsRole) -> None:
    book = SmallBook(tmp_path)
    book.scheme()
    for number, uscc, bank in (("A", FIRST, NORTH), ("B", SECOND, SOUTH)):
        book.lend(number, uscc, at=bank)
        book.collect(number, 2, at=bank)
    run()
    south = Institution.objects.get(code=SOUTH)
    with as_role("app", south.parent):
        frame = pl.concat(register_parts(collected(asked("2026"))))
    assert frame.select("note_number", "municipal_fen", "borrower").rows() == [
        ("B", 100_000, "甲公司")
    ]
