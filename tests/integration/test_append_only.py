"""Evidence and posted results are never changed: not by the web, not by runs, not by the owner."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction

from config.kernel.models import Institution, User
from config.kernel.services import provenance, signin
from loans.models import InterestCollection, Note, Repayment
from settlement.models import Deduction
from tests.integration import rows
from tests.integration.rows import BANK, NANJING

AsRole = Callable[..., AbstractContextManager[None]]

# Of no institution; the last says who made each change that the histories keep.
AUDIT = ("kernel_formerpassword", "kernel_signin", "pghistory_context")
EVIDENCE = (
    "kernel_deliverystep",
    "kernel_outboxevent",
    "loans_bankstatement",
    "loans_compensation",
    "loans_externalsubsidy",
    "loans_importbatch",
    "loans_interestcollection",
    "loans_paper",
    "loans_paperwithdrawal",
    "loans_preallocation",
    "loans_repayment",
    "loans_reviewresult",
    "reports_reminder",
    "reports_reportfile",
    "settlement_clawbacklapse",
    "settlement_deduction",
    "settlement_exchangefile",
    "settlement_guaranteeposting",
    "settlement_ledgerentry",
    "settlement_ledgerline",
    "settlement_monthlysubsidy",
    "settlement_notice",
    "settlement_noticerecord",
    "settlement_payout",
    "settlement_payoutresult",
    "settlement_probe",
    "settlement_probeanswer",
    "settlement_provinceanswer",
    "settlement_receipt",
    "settlement_receiptrefusal",
    "settlement_takenover",
)
HISTORY = """
SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '%event'
    AND relname <> 'kernel_outboxevent' AND relnamespace = 'public'::regnamespace ORDER BY relname
"""
CHANGES = (
    "UPDATE {} SET institution_id = institution_id",
    "DELETE FROM {}",
    "TRUNCATE {}",
)


@pytest.fixture
def banks() -> dict[str, Institution]:
    made = rows.institutions()
    rows.whole_book(made[NANJING])
    return made


def _leave_an_audit() -> None:
    """A person with a password who came in, and a change of which somebody is known."""
    person = User.objects.create_user("wang")
    person.set_password("a-long-enough-passphrase-9")
    person.save()
    signin.record(event="signed_in", at=rows.AT, caller=signin.Caller(), user=person)
    with provenance.acting(user="zhang"):
        User.objects.filter(pk=person.pk).update(last_name="王")


def _change(change: str, table: str) -> str:
    column = "id" if table in AUDIT else "institution_id"
    return change.replace("institution_id", column).format(table)


def content(table: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
        return list(cursor.fetchall())


def execute(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("role", ["app", "worker"])
def test_app_and_worker_have_no_privilege_to_change_evidence(
    role: str, change: str, banks: dict[str, Institution], as_role: AsRole
) -> None:
    _leave_an_audit()
    for table in EVIDENCE + AUDIT:
        before = content(table)
        assert before, table
        with (
            pytest.raises(ProgrammingError, match=r"permission denied for table"),
            as_role(role, banks[BANK]),
        ):
            execute(_change(change, table))
        assert content(table) == before


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["app", "worker"])
def test_nobody_rewrites_history(role: str, banks: dict[str, Institution], as_role: AsRole) -> None:
    with connection.cursor() as cursor:
        cursor.execute(HISTORY)
        tables = [row[0] for row in cursor.fetchall()]
    assert len(tables) == 31
    for table in tables:
        before = content(table)
        for change in ("UPDATE {} SET pgh_label = ''", "DELETE FROM {}", "TRUNCATE {}"):
            with pytest.raises(ProgrammingError, match="permission denied"), as_role(role):
                execute(change.format(table))
        assert content(table) == before


@pytest.mark.django_db(transaction=True)
def test_triggers_stop_the_owner_everywhere(
    banks: dict[str, Institution], owner_connection: psycopg.Connection
) -> None:
    _leave_an_audit()
    for table in EVIDENCE + AUDIT:
        before = content(table)
        assert before, table
        for change in CHANGES:
            whole = " CASCADE" if "TRUNCATE" in change else ""
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="只增不改"):
                owner_connection.execute(_change(change, table) + whole)
        assert content(table) == before
    history = {row[0] for row in owner_connection.execute(HISTORY)}
    carrying = owner_connection.execute(
        "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE t.tgname = 'append_only' AND NOT c.relispartition"
    )
    assert {row[0] for row in carrying} == {*EVIDENCE, *AUDIT, *history}


@pytest.mark.django_db(transaction=True)
def test_triggers_guard_each_partition_too(
    banks: dict[str, Institution], owner_connection: psycopg.Connection
) -> None:
    for table in ("loans_interestcollection_202603", "settlement_deduction_202603"):
        for change in CHANGES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                owner_connection.execute(change.format(table))
        assert len(content(table.removesuffix("_202603"))) == 1


@pytest.mark.django_db(transaction=True)
def test_the_way_through_for_moves_lets_nothing_else_change(
    banks: dict[str, Institution], owner_connection: psycopg.Connection
) -> None:
    before = content("loans_repayment")
    owner_connection.execute("SET kernel.scope_move = 'on'")
    for change in (
        "UPDATE loans_repayment SET amount_fen = 5",
        "UPDATE loans_repayment SET amount_fen = 5, institution_id = 1",
        "DELETE FROM loans_repayment",
        "TRUNCATE loans_repayment",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner_connection.execute(change)
    assert content("loans_repayment") == before


@pytest.mark.django_db
def test_worker_cannot_use_the_way_through(banks: dict[str, Institution]) -> None:
    before = content("loans_repayment")
    execute("SET LOCAL kernel.scope_move = 'on'")
    with pytest.raises(ProgrammingError, match="permission denied"):
        execute("UPDATE loans_repayment SET institution_id = 1")
    assert content("loans_repayment") == before


@pytest.mark.django_db
@pytest.mark.parametrize("model", [InterestCollection, Repayment, Deduction])
def test_fetched_evidence_can_be_neither_saved_nor_locked(
    model: type[InterestCollection | Repayment | Deduction],
    banks: dict[str, Institution],
    as_role: AsRole,
) -> None:
    before = content(model._meta.db_table)
    for role in ("app", "worker"):
        with as_role(role, banks[BANK]):
            row = model.objects.get()
            with pytest.raises(ProgrammingError), transaction.atomic():
                row.save()
            with pytest.raises(ProgrammingError), transaction.atomic():
                list(model.objects.select_for_update())
            with pytest.raises(ProgrammingError), transaction.atomic():
                model.objects.all().delete()
    assert content(model._meta.db_table) == before


def snapshot() -> dict[str, list[tuple[str, int]]]:
    """Every row of every table with an institution, less what a move may change."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " AND a.attname = 'institution_id' WHERE c.relkind IN ('r', 'p')"
            " AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace"
            " AND c.relname <> 'kernel_user' ORDER BY 1"
        )
        tables = [row[0] for row in cursor.fetchall()]
        found = {}
        for table in tables:
            cursor.execute(
                f"SELECT (to_jsonb(t) - 'institution_id')::text, institution_id FROM {table} t"
                " ORDER BY 1"
            )
            found[table] = cursor.fetchall()
        return found


# Of an institution, not of a note.
STAY = {
    "kernel_deliverystep", "kernel_outboxdelivery", "kernel_outboxevent", "kernel_userevent", "loans_bankstatement", "loans_contract", "loans_contractevent",
    "loans_enterprisecontact", "loans_enterprisecontactevent", "loans_fileimport", "loans_importbatch", "loans_importundo", "loans_participation",
    "loans_participationevent", "loans_preallocation", "loans_syndicateshare",
    "loans_syndicateshareevent", "loans_usccconfirmation", "loans_usccconfirmationevent",
    "reports_obligation", "reports_reminder", "reports_report",
    "reports_reportfile", "settlement_differenceexplanation", "settlement_exchangefile", "settlement_fund",
    "settlement_ledgerentry", "settlement_ledgerline", "settlement_madegood",
    "settlement_payoutbatch", "settlement_plan", "settlement_probe", "settlement_probeanswer", "settlement_provinceanswer",
    "settlement_receipt", "settlement_receiptrefusal",
    "settlement_recomputation", "settlement_reconciliationdifference", "settlement_settlement",
    "settlement_settlementitem", "settlement_takenover",
}  # fmt: skip


@pytest.mark.django_db
def test_moving_a_note_moves_its_scope_everywhere_and_nothing_else(
    banks: dict[str, Institution],
) -> None:
    moved = Note.objects.get()
    stays = rows.note(banks[NANJING], "N2")
    rows.collection(stays)
    target = rows.institutions()[rows.OTHER]
    before = snapshot()
    with connection.cursor() as cursor:
        cursor.execute("SELECT loans_move_note(%s, %s)", [moved.pk, target.id])
    after = snapshot()
    for sums in (
        before,
        after,
    ):  # added to, not moved: a pair of rows takes the note's amounts along
        sums.pop("settlement_monthlysubsidy")
    for table, old in before.items():
        assert [content for content, _ in old] == [content for content, _ in after[table]], table
        places = {place for _, place in after[table]}
        if table in STAY:
            assert places == {banks[NANJING].id}, table
        elif table in {"loans_note", "loans_interestcollection"}:
            assert places == {banks[NANJING].id, target.id}, table
        else:
            assert places == {target.id}, table
    assert {table for table in before if before[table] == after[table]} == STAY
    moved.refresh_from_db()
    assert (moved.institution_id, moved.origin_id) == (target.id, banks[NANJING].id)


@pytest.mark.django_db
def test_a_note_is_not_moved_to_an_unknown_institution(banks: dict[str, Institution]) -> None:
    before = snapshot()
    moved = Note.objects.get()
    with pytest.raises(Exception, match="unknown receiving institution"), transaction.atomic():
        execute(f"SELECT loans_move_note({moved.pk}, 5)")
    assert snapshot() == before


@pytest.mark.django_db
def test_after_a_move_the_way_through_is_shut_again(banks: dict[str, Institution]) -> None:
    moved = Note.objects.get()
    execute(f"SELECT loans_move_note({moved.pk}, {banks[BANK].id})")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('kernel.scope_move', true)")
        assert cursor.fetchone() == ("",)
