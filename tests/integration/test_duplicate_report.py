"""The duplicate check's report: findings by rule, each with its sides, as far as they may be seen."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from config.kernel.models import Institution
from loans.models import Note
from reports.definitions.duplicates import said_of_notes, side
from reports.definitions.period import parse
from reports.definitions.sheet import Sheet
from reports.services.build_duplicates import build
from reports.services.build_register import build as build_register
from reports.services.catalogue import Asked
from settlement.models import Finding, Scheme
from tests.integration import rows
from tests.integration.book import load_shipped, run
from tests.integration.small_book import FIRST, SECOND, SmallBook

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 31, 17, 0, tzinfo=UTC)  # 1 April in China


def asked(period: str, institution: Institution | None = None, scheme: str | None = None) -> Asked:
    one = institution or Institution.objects.order_by("id").first()
    return Asked(
        period=parse(period),
        institution_id=one.id,
        institution_code=one.code,
        institution_name=one.name,
        scope=(one.id, one.last_id) if institution else (0, 2**63 - 1),
        scheme_code=scheme,
    )


def facts(position: int) -> dict[str, Any]:
    """As the check writes them."""
    claims = [{"fen": 100, "tier": "central"}, {"fen": 23, "tier": "provincial"}]
    return {
        "note_number": "as filed", "contract_number": f"H{position}", "project_code": "P-1",
        "drawn_on": "2026-01-05", "principal_fen": 700, "equipment_fen": 300, "loan_type": "project",
        "schemes": ["central-sme-2026", "x"], "yields": position == 1, "uscc": "U",
        "claims": claims if position == 1 else [], "days": 30 * position,
    }  # fmt: skip


def finding(note: Note, other: Note, **changes: Any) -> Finding:
    """A finding of two notes: the first yields."""
    enterprise = note.contract.enterprise_id
    content = {
        "institution_id": note.institution_id, "note": note, "enterprise_id": enterprise,
        "scheme": Scheme.objects.filter(code="central-sme-2026").first(), "rule": "P1", "severity": "violation",
        "article": "财金〔2026〕4号 一(三)", "identity": str(Finding.objects.count()),
        "evidence_digest": "0", "central_fen": 123_456, "found_at": rows.AT, "changed_at": rows.AT,
        **changes,
    }  # fmt: skip
    found = Finding.objects.create(**content)
    for position, of in enumerate((note, other), start=1):
        found.sides.create(
            institution_id=of.institution_id, position=position, note=of,
            enterprise_id=of.contract.enterprise_id, facts=facts(position),
        )  # fmt: skip
    return found


@pytest.fixture
def notes() -> tuple[Note, Note]:
    """A note at each of two banks, each with a subsidy in March and in April."""
    load_shipped()
    banks = rows.institutions()
    one, other = rows.note(banks[rows.NANJING]), rows.note(banks[rows.OTHER])
    for note in (one, other):
        for month in (3, 4):
            rows.deduction(rows.collection(note, date(2026, month, 20)))
    return one, other


def table(sheet: Sheet, place: int) -> list[dict[str, Any]]:
    return pl.concat(sheet.tables[place].parts()).to_dicts()


def test_rules_are_counted_and_their_amounts_added(notes: tuple[Note, Note]) -> None:
    one, other = notes
    finding(one, other)
    finding(one, other, provincial_fen=44, found_at=MARCH)
    finding(one, other, rule="P10", severity="warning", central_fen=0, municipal_fen=7)
    finding(one, other, rule="P2", gone_at=rows.AT)
    sheet = build(asked("2026-Q2"))
    assert [(r["rule_zh"], r["violations"], r["warnings"], r["new"], r["open_count"]) for r in table(sheet, 2)] == [
        ("P1 同一借据重复贴息", 2, 0, 1, 2),
        ("P10 多家银行合计超上限", 0, 1, 0, 1),
    ]  # fmt: skip
    assert [(r["central_fen"], r["provincial_fen"], r["municipal_fen"], r["total_fen"]) for r in table(sheet, 2)] == [
        (246_912, 44, 0, 246_956),
        (0, 0, 7, 7),
    ]  # fmt: skip
    assert [row["rule_zh"][:3].strip() for row in table(sheet, 0)] == ["P1", "P1", "P10"]
    assert [tie.one_fen for tie in sheet.ties] == [246_912, 44, 7]
    assert all(tie.holds for tie in sheet.ties)
    assert [row["new"] for row in table(build(asked("2026-03")), 2)] == [1, 1]


def test_a_period_has_the_findings_of_its_subsidies_whenever_they_were_found(
    notes: tuple[Note, Note],
) -> None:
    one, other = notes
    found = [finding(one, other, found_at=datetime(2026, 11, 1, tzinfo=UTC))]
    alone = finding(one, other, rule="P12")
    alone.sides.all().delete()
    found.append(alone)

    def listed(period: str) -> list[int]:
        return [row["finding_id"] for row in table(build(asked(period)), 0)]

    assert listed("2026-03") == listed("2026-Q2") == [one.pk for one in found]
    assert listed("2026-05") == listed("2027") == [alone.pk]


def test_both_sides_stand_beside_each_other(notes: tuple[Note, Note]) -> None:
    one, other = notes
    finding(one, other)
    sheet = build(asked("2026"))
    (row,) = table(sheet, 0)
    assert (row["institution_1"], row["note_1"]) == (rows.NANJING, one.note_number)
    assert (row["institution_2"], row["note_2"], row["sides"]) == (rows.OTHER, other.note_number, 2)
    assert (row["state"], row["severity"], row["found_on"].isoformat()) == (
        "待核查",
        "违规",
        "2026-03-31",
    )
    first, second = table(sheet, 1)
    assert first == {
        "finding_id": row["finding_id"], "position": 1, "institution_code": rows.NANJING,
        "note_number": one.note_number, "uscc": "91320000000000001X", "role": "应退",
        "contract_number": "H1", "project_code": "P-1", "drawn_on": date(2026, 1, 5),
        "principal_fen": 700, "equipment_fen": 300, "schemes": "central-sme-2026；x",
        "claimed_fen": 123, "outside_record": "", "outside_fen": None, "more": '{"days": 30}',
    }  # fmt: skip
    assert (second["institution_code"], second["role"], second["claimed_fen"], second["more"]) == (
        rows.OTHER, "", 0, '{"days": 60}',
    )  # fmt: skip


def test_the_other_banks_side_is_not_shown_and_its_findings_are_its_own(
    notes: tuple[Note, Note],
) -> None:
    one, other = notes
    finding(one, other)
    bank = Institution.objects.get(code=rows.BANK)
    (row,) = table(build(asked("2026", bank)), 0)
    assert (row["note_1"], row["institution_2"], row["note_2"], row["party_2"]) == (
        one.note_number, "", "", "",
    )  # fmt: skip
    assert [r["position"] for r in table(build(asked("2026", bank)), 1)] == [1]
    assert table(build(asked("2026", Institution.objects.get(code=rows.OTHER))), 0) == []
    assert table(build(asked("2026", scheme="jiangsu-sports-2026")), 0) == []


def test_the_register_says_what_was_found_of_its_notes(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    book.scheme()
    for number, uscc in (("A", FIRST), ("B", SECOND)):
        book.lend(number, uscc)
        book.collect(number, 2)
    run()
    one = Note.objects.get(note_number="A")
    for rule in ("P1", "P10", "P5"):
        finding(one, one, rule=rule, scheme=None)
    frame = pl.concat(build_register(asked("2026")).tables[0].parts())
    said = dict(frame.select("note_number", "duplicates").rows())
    assert said == {"A": "待核查 P1、P5、P10", "B": "未发现"}


def test_states_of_one_note_are_said_the_most_pressing_first() -> None:
    found = pl.DataFrame(
        {
            "note_id": [1, 1, 1, 2, 2, 3],
            "state": ["recovered", "open", "open", "dismissed", "confirmed", "open"],
            "rule": ["P1", "P11", "P2", "P8", "N2", "N5"],
            "severity": ["violation", "warning", "violation", "warning", "proposal", "proposal"],
        }
    )  # of what is only like another nothing is said before people agree
    assert said_of_notes(found).rows() == [
        (1, "待核查 P2、P11；已追回 P1"), (2, "属实 N2；已排除 P8"),
    ]  # fmt: skip


def test_an_outside_record_is_told_by_its_source() -> None:
    told = side(
        {"kind": "loan_interest", "uscc": "U", "year": 2026, "claims": [], "source": "市财政局",
         "reference": "X3", "amount_fen": 2_412_100, "scheme_name": "市级贴息"}
    )  # fmt: skip
    assert (told["outside_record"], told["outside_fen"], told["more"]) == (
        "市财政局；X3；市级贴息；贷款贴息",
        2_412_100,
        '{"year": 2026}',
    )
    assert (told["role"], told["drawn_on"], told["claimed_fen"]) == ("", None, 0)
