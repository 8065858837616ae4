"""Each pattern of domain §7 planted among near-twins: all are found, and nothing else."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from settlement import tasks
from settlement.models import Finding, FindingSide
from settlement.services.duplicates import Checked, check_duplicates
from tests.integration.book import AT, exported, run
from tests.integration.planted import (
    A2,
    B1,
    EQUIPMENT,
    HEAD_B,
    MAKING,
    SME,
    SPORTS,
    Planted,
)  # fmt: skip

pytestmark = pytest.mark.django_db


@pytest.fixture
def book(tmp_path: Path) -> Planted:
    return Planted(tmp_path)


def found(at_day: int = 0) -> Checked:
    return check_duplicates(at=AT + timedelta(days=at_day))


def listed(rows: Iterable[Finding] | None = None) -> list[tuple[str, str, str, int]]:
    """Findings that are there: rule, severity, note numbers of its sides, yuan at stake."""
    exact = Finding.objects.filter(gone_at=None).exclude(severity="proposal").order_by("pk")
    there = exact if rows is None else rows
    return sorted(
        (
            one.rule,
            one.severity,
            " ".join(side.facts.get("note_number", "-") for side in one.sides.order_by("position")),
            (one.central_fen + one.provincial_fen + one.municipal_fen) // 100,
        )
        for one in there
    )


# Notes are of 3,600,000 yuan: a day at 1.5 points is 150 yuan, at 2 points 200; a month's interest from
# 2 February to 2 March is 28 days: 4,200 and 5,600 yuan.


def test_one_note_paid_twice_for_the_same_days(book: Planted) -> None:
    one = book.enterprise()
    book.note(one, "P", collected=False)
    book.collect("P", "2026-02-02", "2026-03-21")
    book.collect("P", "2026-03-11", "2026-04-21")  # ten of its 41 days again
    book.note(one, "TWIN", drawn="2026-02-03", collected=False)
    book.collect("TWIN", "2026-02-03", "2026-03-21", paid="100.00")
    book.collect("TWIN", "2026-02-03", "2026-03-21", paid="200.00")  # the same period, in parts
    book.collect("TWIN", "2026-03-21", "2026-04-21")  # the next one
    book.post()
    found()
    assert listed() == [("P1", "violation", "P", 1_500)]
    assert Finding.objects.get().article == "财金〔2026〕4号 一(三)"


def test_a_worker_checks_every_night(book: Planted) -> None:
    one = book.enterprise()
    book.note(one, "P", collected=False)
    book.collect("P", "2026-02-02", "2026-03-21")
    book.collect("P", "2026-03-11", "2026-04-21")
    book.post()
    for _ in range(2):
        tasks.check_duplicates()
    assert listed() == [("P1", "violation", "P", 1_500)]


def test_one_note_number_at_two_banks(book: Planted) -> None:
    one, other = book.enterprise(), book.enterprise()
    book.note(one, "DK-1")
    book.note(one, "DK-1", at=B1)
    book.note(one, "DK-2", drawn="2026-02-04", yuan=1_000_000)
    book.note(
        one, "DK-2", at=B1, drawn="2026-02-05", yuan=2_000_000, signed="2026-01-21"
    )  # another loan of that number
    book.note(other, "DK-3")
    book.note(book.enterprise(), "DK-3", at=B1)  # another borrower
    book.note(other, "DK-4", drawn="2026-02-06")
    book.note(other, "DK-4", at=B1, drawn="2026-02-06", schemes=MAKING)  # stack, exclude nothing
    book.post()
    found()
    assert listed() == [("P1", "violation", "DK-1 DK-1", 4_200)]
    finding = Finding.objects.get()
    assert finding.institution.code == B1
    assert finding.evidence == {
        "matched_by": "note_number;drawn_on;principal_fen", "number": "DK1", "ask": ["C0001110000000"],
    }  # fmt: skip


def test_numbers_keyed_again(book: Planted) -> None:
    one = book.enterprise()
    book.note(one, "JK-2026-0031")
    book.note(one, "jk2026/0031", at=A2)
    book.note(one, "JK-2026-00031", drawn="2026-02-03")  # zeros count
    book.note(one, "JK-1-12", drawn="2026-02-04", yuan=1_000_000)
    book.note(
        one, "JK-11-2", drawn="2026-02-05", yuan=2_000_000, signed="2026-01-21"
    )  # equal without its dashes
    book.note(one, "N1", contract="HT(7)-1", drawn="2026-02-06", yuan=500_000, amount=9_000_000)
    book.note(one, "N2", contract="HT71", drawn="2026-04-07", yuan=600_000, amount=9_000_000)
    book.note(one, "N3", contract="HT-71-1", drawn="2026-04-08", yuan=700_000, amount=9_000_000)
    book.post()
    found()
    assert listed() == [
        ("P2", "violation", "JK-2026-0031 jk2026/0031", 4_200),
        ("P2", "violation", "N1 N2", 0),
    ]


def test_one_enterprise_under_two_codes(book: Planted) -> None:
    book.note(book.enterprise("南通（海门）机床有限公司"), "A")
    book.note(book.enterprise("南通(海门) 机床有限公司"), "B", drawn="2026-02-03")
    book.note(book.enterprise("南通海门机床厂有限公司"), "TWIN", drawn="2026-02-04")
    book.note(book.enterprise(organisation="MA7777777"), "C", drawn="2026-02-05")
    book.note(book.enterprise(organisation="MA7777777"), "D", drawn="2026-02-06")
    book.note(book.enterprise(organisation="MA7777778"), "TWIN2", drawn="2026-02-07")
    book.note(book.enterprise("盐城机床有限公司"), "E", drawn="2026-02-08")
    book.enterprise("盐城机床有限公司")  # without a subsidised note
    book.note(book.enterprise("徐州机床有限公司"), "F", drawn="2026-02-09")
    book.note(book.enterprise("徐州机床有限公司"), "G", drawn="2026-02-10", schemes=MAKING)
    book.post()
    found()
    assert listed() == [("P3", "warning", "A B", 4_050), ("P3", "warning", "C D", 3_600)]


def test_one_project_at_two_banks(book: Planted) -> None:
    one = book.enterprise()
    for code in ("X-1", "X-2", "X-3", "X-4", "X-5"):
        book.project(one, code)
    book.note(one, "A", project="X-1", schemes=EQUIPMENT)
    book.note(one, "B", project="X-1", schemes=EQUIPMENT, at=B1, drawn="2026-02-03")
    book.note(one, "C", project="X-2", schemes=EQUIPMENT, drawn="2026-02-04")
    book.note(one, "D", project="X-2", schemes=EQUIPMENT, at=A2, drawn="2026-02-05")  # one bank
    book.note(one, "E", project="X-3", schemes=EQUIPMENT, drawn="2026-02-06")
    book.note(one, "F", project="X-3", schemes=MAKING, at=B1, drawn="2026-02-07")  # MF-06: both may
    book.note(one, "G", project="X-4", schemes=EQUIPMENT, drawn="2026-02-08")
    book.note(one, "H", project="X-4", schemes=EQUIPMENT, at=B1, drawn="2026-02-09")
    book.invoice("G", "F-71")
    book.invoice("H", "F-72", at=B1)  # other equipment
    book.note(one, "I", project="X-5", schemes=EQUIPMENT, drawn="2026-02-10", collected=False)
    book.note(one, "J", project="X-5", schemes=EQUIPMENT, at=B1, drawn="2026-02-11")  # paid once
    book.post()
    found()
    assert listed() == [("P4", "warning", "A B", 4_050)]
    assert Finding.objects.get().article == "财金〔2026〕2号 八"


def test_one_invoice_or_machine_on_two_notes(book: Planted) -> None:
    one, other = book.enterprise(), book.enterprise()
    makers = {"supplier": "沈阳机床"}
    for place, (owner, number) in enumerate(
        [
            (one, "A"),
            (one, "B"),
            (one, "C"),
            (other, "D"),
            (one, "E"),
            (other, "F"),
            (one, "G"),
            (one, "H"),
        ]
    ):
        book.note(
            owner,
            number,
            drawn=f"2026-02-{place + 2:02d}",
            at=B1 if number == "B" else "C0001320100001",
        )
    book.invoice("A", "NO.00123456", serial="SN-A")
    book.invoice("B", "no 00123456", at=B1, serial="SN-B")  # keyed again at the other bank
    book.invoice("C", "81", serial="XK-714-2026-55", **makers)
    book.invoice("D", "82", serial="XK7142026 55", **makers)  # one machine, two borrowers
    book.invoice("E", "12345678", issued="2026-01-05", **makers)
    book.invoice("F", "12345678", issued="2026-01-06", **makers)  # short numbers repeat
    book.invoice("G", "55", serial="1")
    book.invoice("H", "56", serial="2")
    book.note(one, "K", contract="HT-K", drawn="2026-02-11")
    book.note(one, "L", contract="HT-K", drawn="2026-03-12")
    book.invoice("K", "99", yuan=30_000)
    book.invoice("L", "99", yuan=70_000)  # paid for in two parts of one contract
    book.invoice("K", "K-1", yuan=50_000)
    book.invoice("L", "L-1", yuan=50_000)  # and something else of one price each
    book.outside(one, "grant", invoice_number="ＮＯ00123456", scheme_name="设备补助")
    book.outside(other, "grant", invoice_number="NO00123456", scheme_name="设备补助")  # another's
    book.post()
    found()
    assert listed() == [
        ("P5", "violation", "A B", 4_050),
        ("P5", "violation", "C D", 3_750),
        ("P5", "warning", "A B -", 8_250),
    ]


def test_subsidies_above_the_interest(book: Planted) -> None:
    one = book.enterprise()
    book.note(one, "A")
    book.note(one, "B", drawn="2026-02-03")
    book.post()
    book.outside(one, yuan=8_000, institution_code="C0001320100001", note_number="A")
    book.outside(one, yuan=6_300, institution_code="C0001320100001", note_number="B")
    book.load()
    found()
    # A: 4,200 + 8,000 above 11,200 of interest; B: 4,050 + 6,300 within 10,800.
    assert [row for row in listed() if row[0] == "P6"] == [("P6", "violation", "A", 1_000)]
    assert run()["differences"] == 1
    checked = found(1)
    assert (checked.there["P6"], checked.gone) == (0, 1)


def test_subsidy_on_days_that_earn_none(book: Planted) -> None:
    one = book.enterprise()
    for number in ("LATE", "PAID", "TWIN"):
        book.note(one, number, drawn="2026-02-02")
    book.post()
    book.status("LATE", "overdue", "2026-02-23")
    book.repay("PAID", "2026-02-16", 3_600_000)
    book.repay("TWIN", "2026-03-02", 3_600_000)  # on the period's end, which does not count
    book.load()
    found()
    # 7 of 28 days overdue, 14 of 28 after repayment, of 4,200 yuan.
    assert [row for row in listed() if row[0] == "P7"] == [
        ("P7", "violation", "LATE", 1_050),
        ("P7", "violation", "PAID", 2_100),
    ]
    run()
    assert found(1).gone == 2
    assert listed() == []


def test_subsidy_after_the_title_ran_out(book: Planted) -> None:
    owners = [book.enterprise(industry=code) for code in ("R8810", "C3421", "R8810")]
    for owner, until in zip(owners, ("2026-03-10", "2026-03-10", "2026-12-31"), strict=True):
        book.rows["enterprise-titles"].append(
            {"uscc": owner, "title": "specialized", "valid_from": "2024-01-01", "valid_to": until}
        )
    for number, owner in zip(("A", "TWIN1", "TWIN2"), owners, strict=True):
        book.note(owner, number, schemes=MAKING)
        book.collect(number, "2026-03-02", "2026-04-02")
    book.collect("A", "2026-04-02", "2026-04-12")
    book.post()
    found()
    assert listed() == [("P7", "warning", "A", 2_000)]


def test_a_new_note_that_repays_an_old_one(book: Planted) -> None:
    one = book.enterprise()
    book.note(one, "OLD")
    book.repay("OLD", "2026-06-15", 3_600_000)
    book.note(one, "NEW", drawn="2026-06-12")
    book.note(book.enterprise(), "TWIN1", drawn="2026-06-15")  # another borrower
    book.note(one, "TWIN2", drawn="2026-06-23")  # eight days later
    book.note(one, "TWIN3", drawn="2026-06-14", yuan=3_500_000)
    book.post()
    found()
    assert listed() == [("P8", "warning", "OLD NEW", 3_000)]


def test_a_loan_split_below_a_limit(book: Planted) -> None:
    one, other, guarded, twin = (book.enterprise() for _ in range(4))
    for number in ("A", "B", "C"):
        book.note(one, number, drawn="2026-02-02", yuan=20_000_000)
    for number, day in (("D", "03"), ("E", "03"), ("F", "20")):
        book.note(other, number, drawn=f"2026-02-{day}", yuan=20_000_000)  # 40 million on one day
    for owner, numbers, yuan in ((guarded, "GH", 6_000_000), (twin, "IJ", 5_000_000)):
        for number in numbers:
            book.note(owner, number, drawn="2026-02-05", yuan=yuan, schemes=SPORTS)
            book.guarantee(number, yuan)
    book.post()
    found()
    # The cap of 50 million has cut the third note already (D4): nothing is subsidised above it.
    assert listed() == [("P9", "warning", "A B C", 0), ("P9", "warning", "G H", 0)]
    assert Finding.objects.order_by("pk").last().article == "苏体经〔2026〕1号 一(四)"


def test_a_borrower_above_a_cap_across_banks(book: Planted) -> None:
    one, other, alone = (book.enterprise() for _ in range(3))
    book.note(one, "A", yuan=30_000_000)
    book.note(one, "B", yuan=30_000_000, drawn="2026-03-03", at=B1)
    book.note(other, "C", yuan=30_000_000, drawn="2026-02-03")
    book.note(other, "D", yuan=20_000_000, drawn="2026-03-04", at=B1)  # 50 million is not above it
    book.note(alone, "E", yuan=30_000_000, drawn="2026-02-04")
    book.note(alone, "F", yuan=30_000_000, drawn="2026-03-05")  # one bank sees it itself
    old = book.enterprise("无锡机床有限公司")
    new = book.enterprise("无锡机床有限公司")
    book.note(old, "G", yuan=30_000_000, drawn="2026-02-06")
    book.note(new, "H", yuan=30_000_000, drawn="2026-03-07")
    book.post()
    found()
    # H: 10 of its 30 million lie above the cap, a third of the 32,500 yuan of its 26 days.
    assert listed() == [
        ("P10", "violation", "G H", 10_833),
        ("P10", "warning", "A B", 0),
        ("P3", "warning", "G H", 32_500),
    ]


def test_outside_records_of_a_note_project_or_invoice(book: Planted) -> None:
    one, other = book.enterprise(), book.enterprise()
    book.project(one, "2026-320100-01")
    book.note(one, "A-1")
    book.note(one, "B", project="2026-320100-01", drawn="2026-02-03")
    book.note(one, "C", drawn="2026-02-04")
    book.invoice("C", "12345678")
    book.note(other, "D", drawn="2026-02-05")
    hits = [
        book.outside(one, note_number="a1"),
        book.outside(one, project_code="2026 320100 01"),
        book.outside(one, "leasing_interest", invoice_number="12345678"),
    ]
    book.outside(one, note_number="A-1", year="2025")  # another year
    book.outside(one, "leasing_interest")  # of the enterprise alone (MF-13 counts it)
    book.outside(one, "grant", project_code="2026-320100-01")  # MF-27: may be had beside
    book.outside(other, note_number="A-1")  # another's note of that number
    undone = book.outside(other, note_number="D", yuan=700)
    book.outside(other, note_number="D", yuan=-700)  # and reversed
    book.post()
    found()
    assert listed() == [
        ("P11", "warning", "A-1 -", 4_200),
        ("P11", "warning", "B -", 4_050),
        ("P11", "warning", "C -", 3_900),
    ]
    references = {side.facts["reference"] for side in FindingSide.objects.filter(note=None)}
    assert references == set(hits)
    assert undone not in references


def test_money_held_for_months(book: Planted) -> None:
    book.note(book.enterprise(), "A")
    book.receive(SME, "central", "2026-01-10", 1_000, at="C0001110000000")  # used by note A
    book.receive(SPORTS, "provincial", "2026-01-10", 5_000)
    book.receive(MAKING, "provincial", "2026-10-10", 6_000)  # six weeks
    book.post()
    found()
    assert listed() == [("P12", "warning", "", 5_000)]
    finding = Finding.objects.get()
    assert (finding.institution.code, finding.article) == (HEAD_B, "苏体经〔2026〕1号 五(五)")


def test_checking_twice_is_checking_once(book: Planted, tmp_path: Path) -> None:
    one = book.enterprise()
    book.note(one, "DK-1")
    book.note(one, "DK-1", at=B1)
    book.post()
    first = found()
    before = exported("findings", tmp_path)
    assert (first.opened, first.there["P1"]) == (1, 1)
    again = found(1)
    assert (again.opened, again.changed, again.reopened, again.gone) == (0, 0, 0, 0)
    assert exported("findings", tmp_path) == before
    assert [(row["rule"], row["first_note_number"], row["total"]) for row in before] == [
        ("P1", "DK-1", "4200.00")
    ]
