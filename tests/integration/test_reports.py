"""The reports of a whole portfolio, re-added from what `export` gives: every period, institution, scheme.

The portfolio here also has money of finance, a repayment told late (negative differences), a note
that moved, disallowances and clawbacks, and its first year settled.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from config.kernel.models import Institution
from reports.definitions.period import Period, month_of, parse
from settlement.models import Clawback, Deduction, Fund, Scheme, Settlement
from settlement.services import clawback_movements, clawbacks, settlement_decisions, settlements
from settlement.services.clawback_movements import Payment
from settlement.services.clawbacks import Claim, Ground
from settlement.services.forecasts import needs_of_year
from settlement.services.pre_allocations import book_pre_allocations
from settlement.services.reviews import propose_disallowances
from settlement.services.settlements import Ask
from settlement.services.verification import verify
from tests.integration.book import (
    AT,
    PORTFOLIO,
    exported,
    hundredths,
    import_folder,
    import_rows,
    load_shipped,
    read_csv,
    run,
)
from tests.integration.reported import listed, report, rows, sums

pytestmark = pytest.mark.django_db

TIERS = ("central", "provincial", "municipal")
FEN = tuple(f"{tier}_fen" for tier in TIERS)
SCHEMES = (
    "central-sme-2026",
    "central-equipment-2026",
    "jiangsu-manufacturing-2026",
    "jiangsu-sports-2026",
)
NOTE, BANK = "JJ72300000180", "C0021320100000"  # corrected: paid back much earlier than was known
MOVED, FROM, TO = "JJ72300000050", "C0001320101001", "C0001320100000"


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """The book with everything that can happen to it, and its exports' folder."""
    load_shipped()
    import_folder(PORTFOLIO)
    import_rows("pre-allocations", _pre_allocations(), tmp_path)
    book_pre_allocations(actor="checker", at=AT)
    run(through=date(2026, 12, 31))
    _claw_back(tmp_path)
    late = {"institution_code": BANK, "note_number": NOTE, "repaid_on": "2026-05-10"}
    import_rows("repayments", [{**late, "amount": "4000000.00", "reference": "L1"}], tmp_path)
    moved = {"institution_code": FROM, "note_number": MOVED, "moved_on": "2026-12-01"}
    import_rows("note-transfers", [{**moved, "new_institution_code": TO}], tmp_path)
    run(through=date(2026, 12, 31))
    _settle_equipment()
    run()
    _claw_back_again()
    assert Clawback.objects.filter(origin="difference").exists()
    assert verify().problems == []
    return tmp_path


def _pre_allocations() -> list[dict[str, str]]:
    levels = {"central-sme-2026": "headquarters"}
    tiers = {
        "jiangsu-manufacturing-2026": ("provincial", "municipal"),
        "jiangsu-sports-2026": ("provincial",),
    }
    return [
        {
            "scheme_code": scheme, "institution_code": place.code, "tier": tier,
            "received_on": f"{year}-02-0{number + 1}", "amount": f"{1000 * (number + 1)}.0{number}",
            "document_number": f"{year}-{number}",
        }
        for scheme in SCHEMES
        for number, place in enumerate(
            Institution.objects.filter(level=levels.get(scheme, "provincial")).order_by("pk")
        )
        for tier in tiers.get(scheme, ("central",))
        for year in (2026, 2027)
    ]  # fmt: skip


def _claw_back(folder: Path) -> None:
    """Finance disallows a part of one note's month, which is taken back and half of it received."""
    row = next(
        r for r in exported("deductions", folder)
        if r["scheme_code"] == "central-equipment-2026" and hundredths(r["total"]) > 10_000
    )  # fmt: skip
    review = {
        "scheme_code": row["scheme_code"], "institution_code": row["institution_code"],
        "note_number": row["note_number"], "month": row["collected_on"][:7], "result": "disallowed",
        "amount": "100.00", "reason": "发票不符", "document_number": "财审1号",
    }  # fmt: skip
    import_rows("review-results", [review], folder)
    assert propose_disallowances(actor="maker", at=AT).clawbacks == 1
    (made,) = Clawback.objects.filter(origin="review")
    clawbacks.decide(clawback_id=made.pk, accept=True, actor="checker", at=AT)
    movement = clawback_movements.record_movement(
        clawback_id=made.pk, kind="received", payment=Payment(date(2026, 12, 20), 5_000, "T1"),
        actor="maker", at=AT,
    )  # fmt: skip
    clawback_movements.check_movement(movement_id=movement, actor="checker", at=AT)


def _claw_back_again() -> None:
    """A yuan of the settled year is taken back from each fund's first note, and stays owed."""
    for fund in Fund.objects.filter(scheme__code="central-equipment-2026").order_by("pk"):
        paid = Deduction.objects.filter(fund_institution_id=fund.institution_id, scheme=fund.scheme)
        note = paid.filter(collected_on__year=2026, central_fen__gt=100).earliest("pk").note_id
        made = clawbacks.propose(
            claim=Claim(note, fund.pk, 2026, 100), actor="maker", at=AT,
            ground=Ground(origin="staff", origin_id=0, why="挪用 / misuse (ST-28)"),
        )  # fmt: skip
        clawbacks.decide(clawback_id=made, accept=True, actor="checker", at=AT)


def _settle_equipment() -> None:
    """2026 of the equipment scheme is settled everywhere, a yuan of each claim disallowed."""
    scheme = Scheme.objects.get(code="central-equipment-2026")
    for place in sorted({fund.institution_id for fund in Fund.objects.filter(scheme=scheme)}):
        made = settlements.draft(
            institution_id=place, scheme_id=scheme.pk, ask=Ask(2026, is_final=True),
            needs=needs_of_year(scheme_code=scheme.code, year=2027), actor="maker", at=AT,
        )  # fmt: skip
        if made is None:
            continue
        settlements.submit(settlement_id=made, actor="checker", at=AT)
        (item,) = Settlement.objects.get(pk=made).items.all()
        settlement_decisions.decide(
            settlement_id=made, approved={("central", "interest"): item.claimed_fen - 100},
            document_number="财批1号", decided_on=date(2027, 2, 1), actor="maker", at=AT,
        )  # fmt: skip
        settlement_decisions.book(settlement_id=made, actor="checker", at=AT)


class Book:
    """The exports, added up by institution (everything below it), scheme and period."""

    def __init__(self, folder: Path) -> None:
        places = list(Institution.objects.all())
        self.above = {
            one.code: {two.code for two in places if two.pk <= one.pk <= two.last_id}
            for one in places
        }
        self.codes = [one.code for one in places]
        self.deductions = exported("deductions", folder)
        self.ledger = exported("ledger", folder)
        self.months = sorted({row["collected_on"][:7] for row in self.deductions})

    def holder(self, row: dict[str, str]) -> str:
        """The institution that holds a row's note today."""
        moved = (row["institution_code"], row["note_number"]) == (FROM, MOVED)
        return TO if moved else row["institution_code"]

    def periods(self) -> list[Period]:
        """Every month, quarter and year in which anything was collected, and one in which nothing was."""
        months = [month_of(date.fromisoformat(f"{month}-01")) for month in self.months]
        quarters = {f"{one.start.year}-Q{(one.start.month + 2) // 3}" for one in months}
        years = {str(one.start.year) for one in months}
        found = [parse(text) for text in (*sorted(quarters), *sorted(years), "2035")]
        return [*months, *(one for one in found if one is not None)]

    def paid(self) -> dict[tuple[str, str], dict[str, Counter[str]]]:
        """(institution, scheme) → month → fen by tier, and interest paid."""
        found: dict = defaultdict(lambda: defaultdict(Counter))
        for row in self.deductions:
            month = row["collected_on"][:7]
            for place in self.above[self.holder(row)]:
                sums_of = found[place, row["scheme_code"]][month]
                sums_of.update({f"{tier}_fen": hundredths(row[tier]) for tier in TIERS})
                sums_of["interest_fen"] += hundredths(row["interest_paid"])
        return found

    def turnover(self) -> dict[tuple[str, str], Counter[str]]:
        """(institution, scheme) → month → net of what its funds' ledger says was applied."""
        found: dict = defaultdict(Counter)
        for row in self.ledger:
            if row["account"] == "subsidy_applied" and row["event"] in (
                "deduction",
                "negative_difference",
            ):
                assert row["purpose"] == "interest"
                for place in self.above[row["institution_code"]]:
                    net = hundredths(row["debit"]) - hundredths(row["credit"])
                    found[place, row["scheme_code"]][row["month"]] += net
        return found


def within(period: Period, by_month: dict[str, Counter[str]]) -> Counter[str]:
    """The months of a period together."""
    found: Counter[str] = Counter()
    for month, amounts in by_month.items():
        if period.start <= date.fromisoformat(f"{month}-01") < period.end:
            found.update(amounts)
    return Counter({key: fen for key, fen in found.items() if fen})


def asked(book: Book) -> Iterator[tuple[Period, str]]:
    """Every period of every head office, and every quarter and year of every institution below."""
    for period in book.periods():
        for place in book.codes:
            is_month = not period.is_year and "Q" not in period.code
            if not is_month or book.above[place] == {place}:
                yield period, place


def test_pay_outs_of_every_period_institution_and_scheme_are_the_exported_deductions(
    told: Path,
) -> None:
    book = Book(told)
    paid, checked = book.paid(), 0
    for period, place in asked(book):
        for scheme in SCHEMES:
            if not paid[place, scheme] and period.code != "2026":
                continue
            found = report("quarterly-payout", period.code, place, scheme)
            wanted = within(period, paid[place, scheme])
            del wanted["interest_fen"]
            for key in ("detail", "by_city", "by_branch"):
                assert sums(found, key, *FEN) == {(scheme, key): fen for key, fen in wanted.items()}
            checked += sum(wanted.values())
    assert any(book.holder(row) != row["institution_code"] for row in book.deductions)
    in_months, in_quarters_and_years = (
        1,
        3 + 3,
    )  # a head office, its province and one of its branches
    assert checked == (in_months + in_quarters_and_years) * sum(
        hundredths(row["total"]) for row in book.deductions
    )


def test_execution_of_every_period_and_institution_is_deductions_and_ledger(told: Path) -> None:
    book = Book(told)
    paid, turnover = book.paid(), book.turnover()
    to_date = tuple(f"ytd_{name}" for name in FEN)
    for period, place in asked(book):
        found = report("monthly-execution", period.code, place)
        for scheme in SCHEMES[:2]:
            now = within(period, paid[place, scheme])
            year = within(period.to_date, paid[place, scheme])
            wanted = {(scheme, name): now[name] for name in FEN if now[name]}
            wanted |= {(scheme, f"ytd_{name}"): year[name] for name in FEN if year[name]}
            for key in ("by_scheme", "by_field", "by_region"):
                assert _of(sums(found, key, *FEN, *to_date), scheme) == wanted
            used = within(period, {m: Counter(x=fen) for m, fen in turnover[place, scheme].items()})
            assert sums(found, "funds", "used_fen")[scheme, "used_fen"] == used["x"]


def _of(found: Counter[tuple[str, str]], scheme: str) -> dict[tuple[str, str], int]:
    return {key: fen for key, fen in found.items() if key[0] == scheme}


def test_applications_hold_the_subsidies_interest_and_days_of_the_export(told: Path) -> None:
    book = Book(told)
    paid = book.paid()
    for period in book.periods():
        for place in ("C0001110000000", TO):
            for scheme in SCHEMES:
                found = report("monthly-application", period.code, place, scheme)
                wanted = within(period, paid[place, scheme])
                for key in ("detail", "by_scheme", "by_branch"):
                    assert sums(found, key, *FEN, "interest_fen") == {
                        (scheme, key): fen for key, fen in wanted.items()
                    }
                spans = {
                    (row["note_number"], row["period_start"], row["period_end"]):
                        (int(row["days"]), hundredths(row["product"]))
                    for row in book.deductions
                    if row["scheme_code"] == scheme and place in book.above[book.holder(row)]
                    and period.start <= date.fromisoformat(row["collected_on"]) < period.end
                }  # fmt: skip
                assert listed(found, "detail")["days"].sum() == sum(d for d, _ in spans.values())
                assert listed(found, "detail")["product"].sum() == sum(p for _, p in spans.values())


def test_the_review_stands_beside_the_application(told: Path) -> None:
    (made,) = Clawback.objects.filter(origin="review")
    row = next(r for r in exported("review-results", told))
    found = report("monthly-application", row["month"], row["institution_code"], row["scheme_code"])
    said = [
        one[1:] for one in rows(found, "detail", "note_number", "results_zh", "reviewed_fen", "review_reasons", "review_documents")
        if one[0] == made.note.note_number
    ]  # fmt: skip
    assert said == [(f"{row['month']} 核减", 10_000, "发票不符", "财审1号")]


def test_new_loans_are_the_labelled_notes_of_the_files(told: Path) -> None:
    book = Book(told)
    judged = {
        (row["scheme_code"], row["institution_code"], row["note_number"]): row
        for row in exported("enrolments", told)
    }
    notes = read_csv(PORTFOLIO / "notes.csv")
    seen = 0
    for period in book.periods():
        for place in ("C0001110000000", "C0021320100000"):
            for scheme in SCHEMES:
                wanted = {}
                for row in notes:
                    drawn = period.start <= date.fromisoformat(row["drawn_on"]) < period.end
                    if (
                        drawn
                        and scheme in row["scheme_codes"]
                        and place in book.above[book.holder(row)]
                    ):
                        key = row["institution_code"], row["note_number"]
                        wanted[key] = (
                            _cny(row["principal"], row["exchange_rate"]),
                            hundredths(judged[scheme, *key]["eligible_amount"]),
                        )
                found = report("new-loans", period.code, place, scheme)
                columns = ("institution_code", "note_number", "drawn_fen", "eligible_fen")
                assert {row[:2]: row[2:] for row in rows(found, "detail", *columns)} == wanted
                seen += len(wanted)
    assert seen > 150


def _cny(yuan: str, rate: str) -> int:
    fen = Fraction(yuan) * 100 * Fraction(rate or "1")
    return (2 * fen.numerator + fen.denominator) // (2 * fen.denominator)


def test_settlements_of_every_year_and_the_whole_life_are_the_ledger(told: Path) -> None:
    book = Book(told)
    for place in book.codes:
        for year in sorted({int(row["year"]) for row in book.ledger}):
            found = report("annual-settlement", str(year), place)
            assert sums(found, "by_fund", *_FLOWS) == _flows(book, place, year)
    for place in book.codes:
        for scheme in SCHEMES:
            found = report("liquidation", "2035", place, scheme)
            assert sums(found, "detail", *_FLOWS) == {
                key: fen for key, fen in _flows(book, place, None).items() if key[0] == scheme
            }


_FLOWS = (
    "received_fen", "used_fen", "adjusted_fen", "clawback_decided_fen", "clawback_settled_fen",
    "clawed_back_fen",
)  # fmt: skip


def _flows(book: Book, place: str, year: int | None) -> dict[tuple[str, str], int]:
    """What ledger entries of a year, or of all, say of the funds below an institution."""
    kinds = {
        ("treasury_advance", "pre_allocation"): ("received_fen", -1),
        ("subsidy_applied", "deduction"): ("used_fen", 1),
        ("subsidy_applied", "negative_difference"): ("adjusted_fen", 1),
        ("subsidy_applied", "clawback_decided"): ("clawback_decided_fen", -1),
        ("treasury_advance", "clawback_decided"): ("clawback_settled_fen", -1),
        ("clawback_receivable", "clawback_received"): ("clawed_back_fen", -1),
        ("clawback_receivable", "deduction"): ("clawed_back_fen", -1),
    }
    found: Counter[tuple[str, str]] = Counter()
    for row in book.ledger:
        name, sign = kinds.get((row["account"], row["event"]), ("", 0))
        if (
            name
            and place in book.above[row["institution_code"]]
            and year in (None, int(row["year"]))
        ):
            net = hundredths(row["debit"]) - hundredths(row["credit"])
            found[row["scheme_code"], name] += sign * net
    return {key: fen for key, fen in found.items() if fen}


def test_what_finance_approved_and_disallowed_of_the_settled_year(told: Path) -> None:
    found = report("annual-settlement", "2026", "C0001320000001", "central-equipment-2026")
    ((basis, claimed, approved, disallowed),) = rows(
        found, "detail", "basis_zh", "claimed_fen", "approved_fen", "disallowed_fen"
    )
    assert (basis, approved, disallowed) == ("第1期·已入账", claimed - 100, 100)
    ((need,),) = rows(found, "by_fund", "next_year_need_fen")
    place = Institution.objects.get(code="C0001320000001").pk
    assert (
        need == needs_of_year(scheme_code="central-equipment-2026", year=2027)[place, "central"] > 0
    )


def test_every_report_of_every_institution_at_every_kind_of_period_ties(told: Path) -> None:
    """Whoever asks, nobody is refused: what does not tie would raise."""
    for code in ("annual-settlement", "liquidation", "new-loans"):
        for text in ("2026-12", "2026-Q2", "2027"):
            for place in Institution.objects.values_list("code", flat=True):
                found = report(code, text, place)
                assert found.heading.institution_code == place
                assert all(tie.holds for tie in found.ties)


def test_staged_figures_of_a_quarter_are_the_months_so_far(told: Path) -> None:
    book = Book(told)
    turnover = book.turnover()
    for text in ("2026-05", "2026-Q2", "2026-Q3"):
        period = parse(text)
        assert period is not None
        found = report("annual-settlement", text, "C0021110000002")
        for scheme in SCHEMES:
            months = {m: Counter(x=fen) for m, fen in turnover["C0021110000002", scheme].items()}
            net = sums(found, "by_fund", "used_fen", "adjusted_fen")
            wanted = within(period.to_date, months)["x"]
            assert net[scheme, "used_fen"] + net[scheme, "adjusted_fen"] == wanted
        assert {row[0] for row in rows(found, "detail", "basis_zh")} == {"资金账（未申报）"}


def test_clawbacks_not_recovered_are_those_still_open(told: Path) -> None:
    open_ones = [
        (one.fund.institution.code, one.note.note_number, one.pk, one.open_fen)
        for one in Clawback.objects.filter(state="decided", fund__scheme__code=SCHEMES[1])
        if one.open_fen > 0
    ]
    assert len(open_ones) > 2
    for code in Institution.objects.filter(level="provincial").values_list("code", flat=True):
        found = report("liquidation", "2035", code, SCHEMES[1])
        wanted = sorted(one[1:] for one in open_ones if one[0] == code)
        assert rows(found, "clawbacks", "note_number", "clawback", "open_fen") == wanted
        assert sum(fen for _, _, fen in wanted) == sums(found, "detail", "receivable_fen").total()
