"""No loan is subsidised by two schemes that exclude each other: judged so, and held by the database."""

from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from settlement.models import Enrolment
from settlement.services.assessments import assess_notes
from tests.integration.book import AT
from tests.integration.planted import EQUIPMENT, MAKING, SME, Planted

pytestmark = pytest.mark.django_db


def judged() -> list[tuple[str, str, str, list[str]]]:
    columns = ("scheme_code", "exclusive_group", "status", "reasons")
    return list(Enrolment.objects.order_by("scheme_code").values_list(*columns))


def both(book: Planted, *, matures: str = "2029-12-31") -> None:
    """One note with two labels of the central group, and one of the provincial one."""
    book.note(book.enterprise(), "N1", schemes=f"{EQUIPMENT};{SME};{MAKING}", collected=False)
    book.rows["contracts"][-1]["purpose_field"] = "工业母机"
    book.rows["notes"][-1]["matures_on"] = matures
    book.load()


def test_the_second_of_a_group_is_refused_by_the_database(tmp_path: Path) -> None:
    both(Planted(tmp_path))
    assess_notes(at=AT)
    before = judged()
    eligible = [group for _, group, status, _ in before if status == "eligible"]
    assert sorted(eligible) == ["central", "provincial"]
    twice = (
        "UPDATE settlement_enrolment SET status = 'eligible', reasons = '{}';"
        " SET CONSTRAINTS enrolment_one_of_a_group IMMEDIATE"
    )
    with (
        connection.cursor() as cursor,
        pytest.raises(IntegrityError, match="enrolment_one_of_a_group"),
        transaction.atomic(),
    ):
        cursor.execute(twice)
    assert judged() == before


def test_two_labels_of_a_group_change_places_in_one_judging(tmp_path: Path) -> None:
    book = Planted(tmp_path)
    both(book)
    assess_notes(at=AT)
    first = {code: status for code, _, status, _ in judged()}
    row = {
        "institution_code": "C0001320100001", "note_number": "N1", "contract_number": "HTN1",
        "drawn_on": "2026-02-02", "matures_on": "2029-12-31", "principal": "3600000.00",
        "equipment_amount": "3600000.00", "annual_rate": "4.00",
    }  # fmt: skip
    book.rows["notes"].append(row | {"scheme_codes": f"{SME};{EQUIPMENT};{MAKING}"})
    book.load()
    for only in (SME, None):  # of one scheme alone, what it excludes goes with it
        assess_notes(at=AT, scheme=only)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        now = {code: status for code, _, status, _ in judged()}
        central = {first[EQUIPMENT], first[SME]}
        assert {now[EQUIPMENT], now[SME]} == central == {"eligible", "ineligible"}
        assert now[SME] == "eligible", now
