"""Corrections of reference data and loans are kept; evidence and results need no history."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import pghistory
import pytest
from django.apps import apps
from django.db import connection

from config.kernel.models import Institution
from loans.models import EnterpriseRecord, Note
from tests.integration import rows
from tests.integration.rows import NANJING, OTHER, SUZHOU

AsRole = Callable[..., AbstractContextManager[None]]

pytestmark = pytest.mark.django_db


def events(model: type) -> list[dict[str, object]]:
    event = apps.get_model(model._meta.app_label, f"{model.__name__}Event")
    return list(event.objects.order_by("pgh_id").values())


def execute(statement: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def test_a_correction_keeps_the_row_as_it_was() -> None:
    note = rows.note(rows.institutions()[NANJING])
    assert events(Note) == []
    Note.objects.filter(pk=note.pk).update(principal_fen=90_000_000)
    Note.objects.filter(pk=note.pk).update(principal_fen=80_000_000, rate_ppm=25_000)
    kept = [
        (event["pgh_label"], event["pgh_obj_id"], event["principal_fen"], event["rate_ppm"])
        for event in events(Note)
    ]
    assert kept == [
        ("before_change", note.pk, 100_000_000, 30_000),
        ("before_change", note.pk, 90_000_000, 30_000),
    ]


def test_bulk_sql_is_kept_too_and_rows_left_alone_are_not() -> None:
    bank = rows.institutions()[NANJING]
    for number in ("N1", "N2", "N3"):
        rows.note(bank, number)
    execute("UPDATE loans_note SET equipment_fen = CASE note_number WHEN 'N3' THEN 0 ELSE 5 END")
    # one statement's events come in whatever order its plan visited the rows
    assert sorted((event["note_number"], event["equipment_fen"]) for event in events(Note)) == [
        ("N1", 0),
        ("N2", 0),
    ]


def test_an_upsert_keeps_what_it_replaces() -> None:
    rows.enterprise()
    execute(
        "INSERT INTO loans_enterpriserecord (enterprise_id, valid_from, name, region_code,"
        " industry_code, size, ownership, environment_rating, tax_rating, dishonest)"
        " SELECT enterprise_id, valid_from, '新名', region_code, industry_code, size, ownership,"
        " environment_rating, tax_rating, dishonest FROM loans_enterpriserecord"
        " ON CONFLICT (enterprise_id, valid_from) DO UPDATE SET name = excluded.name"
    )
    assert [event["name"] for event in events(EnterpriseRecord)] == ["甲公司"]
    assert EnterpriseRecord.objects.get().name == "新名"


def test_moving_a_note_is_no_correction() -> None:
    banks = rows.institutions()
    note = rows.note(banks[NANJING])
    execute("SELECT loans_move_note(%s, %s)", note.pk, banks[OTHER].id)
    assert events(Note) == []


def test_the_web_corrects_with_history_and_sees_only_its_own(as_role: AsRole) -> None:
    banks = rows.institutions()
    for code in (NANJING, SUZHOU):
        rows.note(banks[code])
    with as_role("app", banks[NANJING]):
        assert Note.objects.update(drawn_on=date(2026, 1, 16)) == 1
        assert [event["institution_id"] for event in events(Note)] == [banks[NANJING].id]
    with as_role("app", banks[SUZHOU]):
        assert events(Note) == []
    assert [event["drawn_on"] for event in events(Note)] == [date(2026, 1, 15)]


def test_history_says_in_which_context_a_change_was_made(as_role: AsRole) -> None:
    bank = rows.institutions()[NANJING]
    rows.note(bank)
    with as_role("app", bank), pghistory.context(user="maker"):
        Note.objects.update(drawn_on=date(2026, 1, 16))
    event = apps.get_model("loans", "NoteEvent").objects.select_related("pgh_context").get()
    assert event.pgh_context.metadata == {"user": "maker"}


def test_renaming_an_institution_is_kept() -> None:
    bank = rows.institutions()[NANJING]
    Institution.objects.filter(pk=bank.pk).update(name="南京分行")
    assert [(event["id"], event["name"]) for event in events(Institution)] == [
        (bank.pk, "甲银行南京分行")
    ]


def test_exactly_reference_data_and_loans_are_tracked() -> None:
    tracked = {
        model.__name__.removesuffix("Event")
        for label in ("kernel", "loans", "settlement", "reports")
        for model in apps.get_app_config(label).get_models()
        if hasattr(model, "pgh_tracked_model")
    }
    assert tracked == {
        "AnsweringInstitution",
        "ApiClient",
        "ClientSecret",
        "Contract",
        "EnterpriseContact",
        "EnterpriseRecord",
        "EnterpriseTitle",
        "EquipmentInvoice",
        "FinanceDepartment",
        "Guarantee",
        "Institution",
        "Lpr",
        "Note",
        "NoteStatus",
        "NoteTransfer",
        "OpeningPosition",
        "Participation",
        "PayoutAgreement",
        "Project",
        "ProvinceSystem",
        "Scheme",
        "SchemeFund",
        "SchemeLabel",
        "SchemeVersion",
        "SigningKey",
        "SyndicateShare",
        "User",
        "UsccConfirmation",
        "WebhookEndpoint",
        "WebhookSecret",
        "WorkingDayException",
    }
