"""Rows of an institution are seen and written only in its scope, because PostgreSQL says so."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction

from config.kernel.models import SCOPE_ALL, Institution, User
from config.kernel.services import scope
from loans.models import BankStatement, Contract, ExternalSubsidy, Note
from settlement.models import Enrolment
from tests.integration import rows
from tests.integration.rows import BANK, NANJING, OTHER, SUZHOU

AsRole = Callable[..., AbstractContextManager[None]]
Banks = dict[str, Institution]

pytestmark = pytest.mark.django_db

SCOPED_TABLES = """
SELECT c.oid, c.relname, c.relispartition, c.relrowsecurity, c.relforcerowsecurity
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'institution_id'
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
    AND c.relname <> 'kernel_user'
ORDER BY c.relname
"""
PARENTS = f"SELECT relname FROM ({SCOPED_TABLES}) t WHERE NOT relispartition"


def query(statement: str, *params: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        return list(cursor.fetchall())


def owners(table: str) -> list[int]:
    """Whose rows does this role see in the table?"""
    return [row[0] for row in query(f"SELECT DISTINCT institution_id FROM {table} ORDER BY 1")]


@pytest.fixture
def banks() -> Banks:
    return rows.institutions()


@pytest.fixture
def books(banks: Banks) -> Banks:
    """A whole book at each of both branches and at the other bank."""
    for code in (NANJING, SUZHOU, OTHER):
        rows.whole_book(banks[code])
    return banks


def test_every_table_with_an_institution_has_forced_policies_for_each_role() -> None:
    tables = query(SCOPED_TABLES)
    names = [row[1] for row in tables]
    assert len(names) == 85 + 2 * 49
    for name in ("loans_note", "loans_noteevent", "settlement_deduction_202603"):
        assert name in names
    for oid, name, _, enabled, forced in tables:
        assert (enabled, forced) == (True, True), name
        policies = query(
            "SELECT polname, polcmd::text, polroles[1]::regrole::text, pg_get_expr(polqual, polrelid),"
            " pg_get_expr(polwithcheck, polrelid) FROM pg_policy WHERE polrelid = %s"
            " AND polname NOT IN ('loans_contract_of_note', 'loans_paper_of_bank', 'loans_fileimport_client') ORDER BY 1",
            oid,
        )
        assert [(p[0], p[1], p[2]) for p in policies] == [
            (f"{name}_app", "*", "app"),
            (f"{name}_owner", "*", "owner"),
            (f"{name}_worker", "*", "worker"),
        ]
        assert "app.lo" in policies[0][3]
        assert "app.hi" in policies[0][3]
        assert policies[0][3] == policies[0][4]
        assert {policy[3:] for policy in policies[1:]} == {("true", "true")}


def test_nobody_but_the_owner_reaches_a_partition_directly() -> None:
    anything = "SELECT, INSERT, UPDATE, DELETE, TRUNCATE"
    reached = query(
        f"SELECT relname FROM ({SCOPED_TABLES}) t WHERE relispartition"
        " AND (has_table_privilege('app', oid, %s) OR has_table_privilege('worker', oid, %s))",
        anything,
        anything,
    )
    assert reached == []


def test_no_role_of_the_product_may_delete_facts_or_truncate_anything() -> None:
    allowed = query(
        "SELECT r.rolname, c.relname FROM pg_class c, pg_roles r"
        " WHERE r.rolname IN ('app', 'worker') AND c.relkind IN ('r', 'p')"
        " AND c.relnamespace = 'public'::regnamespace"
        " AND has_table_privilege(r.oid, c.oid, 'DELETE') ORDER BY 1, 2"
    )
    tries = ["axes_accessattempt", "axes_accessattemptexpiration"]
    links = ["auth_group_permissions", *tries, "django_session"]
    answering = ["kernel_answeringinstitution"]
    people = ["kernel_user_groups", "kernel_user_user_permissions"]
    factors = ["otp_static_staticdevice", "otp_static_statictoken", "otp_totp_totpdevice"]
    # Answers under a key only once they are 400 days old (a trigger says so), nonces and tokens as they expire.
    expired = ["kernel_idempotencykey", "kernel_usednonce"]
    marks = ["kernel_outboxpause", "kernel_outboxpending"]  # gone once they are seen to
    assert allowed == [
        *[("app", name) for name in [*links, *answering, *people, *factors]],
        *sorted(("worker", name) for name in [*links, *answering, *expired, *marks, *people]),
        ("worker", "oauth2_provider_accesstoken"),
        *[("worker", name) for name in factors],
        ("worker", "settlement_blockedsubsidy"),
        ("worker", "settlement_duplicatedue"),
        ("worker", "settlement_enrolment"),
        ("worker", "settlement_exchangeentry"),
        ("worker", "settlement_exchangerow"),
        ("worker", "settlement_findingside"),
        ("worker", "settlement_guaranteesubsidy"),
        ("worker", "settlement_missedlabel"),
    ]
    truncated = query(
        "SELECT relname FROM pg_class c WHERE relkind IN ('r', 'p')"
        " AND relnamespace = 'public'::regnamespace AND (has_table_privilege('app', oid, 'TRUNCATE')"
        " OR has_table_privilege('worker', oid, 'TRUNCATE'))"
    )
    assert truncated == []


def test_without_a_scope_nothing_is_seen(books: Banks, as_role: AsRole) -> None:
    tables = [row[0] for row in query(PARENTS)]
    assert [table for table in tables if owners(table) == []] == []
    with as_role("app"):
        assert [table for table in tables if owners(table) != []] == []


@pytest.mark.parametrize(
    ("seen_by", "seen"),
    [
        (BANK, [NANJING, SUZHOU]),
        (NANJING, [NANJING]),
        (SUZHOU, [SUZHOU]),
        (OTHER, [OTHER]),
        ("", [NANJING, SUZHOU, OTHER]),
    ],
)
def test_a_scope_shows_its_institution_and_those_below(
    books: Banks, as_role: AsRole, seen_by: str, seen: list[str]
) -> None:
    tables = [row[0] for row in query(PARENTS)]
    expected = [books[code].id for code in seen]
    with as_role("app", books.get(seen_by), everything=not seen_by):
        assert {table: owners(table) for table in tables} == dict.fromkeys(tables, expected)


def test_worker_sees_every_institution(books: Banks) -> None:
    assert query("SELECT current_user::text") == [("worker",)]
    expected = [books[code].id for code in (NANJING, SUZHOU, OTHER)]
    for (table,) in query(PARENTS):
        assert owners(table) == expected, table


def test_a_row_for_another_institution_is_refused(banks: Banks, as_role: AsRole) -> None:
    statement = {
        "scheme_code": "central-sme-2026",
        "tier": "central",
        "moved_on": date(2026, 1, 10),
        "amount_fen": 1,
        "balance_fen": 1,
        "reference": "S1",
    }
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        as_role("app", banks[NANJING]),
    ):
        BankStatement.objects.create(institution=banks[SUZHOU], **statement)
    assert BankStatement.objects.count() == 0
    with as_role("app", banks[BANK]):
        BankStatement.objects.create(institution=banks[SUZHOU], **statement)
    assert BankStatement.objects.get().institution == banks[SUZHOU]


def test_a_row_cannot_be_moved_out_of_scope(books: Banks, as_role: AsRole) -> None:
    before = query("SELECT * FROM loans_note ORDER BY id")
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        as_role("app", books[NANJING]),
    ):
        Note.objects.update(institution=books[SUZHOU])
    with as_role("app", books[NANJING]):
        assert Note.objects.filter(institution=books[SUZHOU]).update(equipment_fen=7) == 0
    assert query("SELECT * FROM loans_note ORDER BY id") == before


def test_results_are_only_read_by_the_web(books: Banks, as_role: AsRole) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), as_role("app", books[NANJING]):
        Enrolment.objects.update(eligible_fen=0)
    with pytest.raises(ProgrammingError, match="permission denied"), as_role("app", books[NANJING]):
        query("SELECT loans_move_note(1, 1)")
    assert set(Enrolment.objects.values_list("eligible_fen", flat=True)) == {100_000_000}


def test_an_outside_subsidy_of_no_institution_is_seen_by_administrators_only(
    banks: Banks, as_role: AsRole
) -> None:
    ExternalSubsidy.objects.create(
        source="省厅",
        reference="1",
        uscc="91320000000000001X",
        kind="grant",
        scheme_name="奖补",
        year=2026,
        amount_fen=1,
    )
    with as_role("app", banks[BANK]):
        assert ExternalSubsidy.objects.count() == 0
    with as_role("app", everything=True):
        assert ExternalSubsidy.objects.count() == 1


def test_who_gets_a_note_reads_its_contract_and_nothing_else_of_the_old_branch(
    books: Banks, as_role: AsRole
) -> None:
    moved = Note.objects.get(institution=books[NANJING])
    stays = rows.note(books[NANJING], "N2")
    query("SELECT loans_move_note(%s, %s)::text", moved.pk, books[OTHER].id)
    with as_role("app", books[OTHER]):
        assert Note.objects.filter(pk=stays.pk).count() == 0
        seen = set(Contract.objects.values_list("pk", flat=True))
        own = set(Contract.objects.filter(institution=books[OTHER]).values_list("pk", flat=True))
        assert seen == own | {moved.contract_id}
        assert Contract.objects.filter(pk=moved.contract_id).update(purpose_field="x") == 0


def test_a_person_sees_what_the_role_and_institution_say(banks: Banks) -> None:
    maker = User(username="maker", institution=banks[NANJING])
    assert maker.scope == (banks[NANJING].id, banks[NANJING].last_id)
    assert User(username="root", role="administrator").scope == SCOPE_ALL
    assert User(username="auditor", role="auditor").scope is None
    limited = User(username="local", role="administrator", institution=banks[BANK])
    assert limited.scope == (banks[BANK].id, banks[BANK].last_id)


def test_a_scope_holds_for_its_block_and_gives_back_the_one_before(
    books: Banks, as_role: AsRole
) -> None:
    with as_role("app"):
        with scope.scoped(books[BANK]):
            assert Note.objects.count() == 2
            with scope.scoped(books[NANJING]):
                assert Note.objects.count() == 1
            with scope.scoped(User(username="auditor", role="auditor")):
                assert Note.objects.count() == 0
            assert Note.objects.count() == 2
        assert Note.objects.count() == 0


def test_an_error_gives_back_the_scope_before(books: Banks, as_role: AsRole) -> None:
    with as_role("app"), scope.scoped(books[NANJING]):
        with pytest.raises(ZeroDivisionError), scope.scoped(books[BANK]):
            raise ZeroDivisionError
        assert Note.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_scope_outside_a_transaction_is_a_mistake() -> None:
    with pytest.raises(AssertionError):
        scope.set_scope(*SCOPE_ALL)
    with transaction.atomic():
        scope.set_scope(*SCOPE_ALL)
    assert query("SELECT current_setting('app.lo', true)") in ([("",)], [(None,)])
