"""Statements straight through libpq: typed by the query, in Django's transaction, as good after an error."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, transaction

from config.kernel.models import Institution
from config.kernel.services import bulk
from config.kernel.services.statements import array, prepared, set_local

pytestmark = pytest.mark.django_db
MOMENT = datetime(2026, 3, 2, 4, 5, 6, 789, tzinfo=UTC)


def kept(like: str) -> int:
    query = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s"
    return bulk.rows(query, [like])[0][0]


def test_it_is_read_and_planned_once():
    assert [prepared("SELECT %s + 1", [number]) for number in range(3)] == [[(1,)], [(2,)], [(3,)]]
    assert kept("SELECT $1 + 1") == 1
    assert bulk.rows("SELECT %s + 2", [1]) == [(3,)]
    assert kept("SELECT % + 2") == 0


def test_values_come_back_as_they_went():
    given = [
        1,
        2**62,
        "单引号' 100% \\ \u3402",
        date(2026, 3, 2),
        MOMENT,
        None,
        True,
        [3, 4],
        ["a,b", "{"],
    ]
    query = (
        "SELECT %s::int, %s::bigint, %s::text, %s::date, %s::timestamptz, %s::text, %s::boolean,"
        " %s::bigint[], %s::text[], '100%%'"
    )
    for _ in range(2):
        assert prepared(query, given) == [(*given, "100%")]
    assert prepared("SELECT 1 WHERE false", []) == []


def test_a_number_may_be_larger_than_the_first_one_was():
    query = "SELECT id FROM kernel_institution WHERE id = %s"
    assert [prepared(query, [number]) for number in (1, 2**40)] == [[], []]


def test_a_refusal_leaves_connection_and_statement_usable():
    for _ in range(2):
        with pytest.raises(DataError), transaction.atomic():
            prepared("SELECT 1 / %s", [0])
        assert prepared("SELECT 1 / %s", [1]) == [(1,)]
    with pytest.raises(IntegrityError), transaction.atomic():
        prepared("INSERT INTO kernel_institution (id) VALUES (%s)", [1])


def test_what_is_planned_wrongly_is_not_kept():
    for _ in range(2):
        with pytest.raises(Exception, match="nowhere"), transaction.atomic():
            prepared("SELECT nowhere FROM kernel_institution WHERE id = %s", [1])
    assert kept("SELECT nowhere%") == 0


def test_settings_end_with_their_transaction():
    with transaction.atomic():
        set_local({"app.lo": "5", "app.hi": "7"})
        assert bulk.rows("SELECT current_setting('app.hi')") == [("7",)]
        transaction.set_rollback(True)
    assert bulk.rows("SELECT coalesce(current_setting('app.hi', true), '')") != [("7",)]


def test_plain_arrays():
    assert prepared("SELECT %s::bigint[], %s::text[], %s::bigint[]", [
        array([1, -2]), array(["special_account"]), array([]),
    ]) == [([1, -2], ["special_account"], [])]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_it_begins_the_transaction_that_it_is_the_first_of():
    insert = (
        "INSERT INTO kernel_institution (id, last_id, code, name, level, region_code)"
        " VALUES (%s, %s, %s, 'x', 'headquarters', '110000') RETURNING id"
    )
    with transaction.atomic():
        assert prepared(insert, [1, 1, "X"]) == [(1,)]
        transaction.set_rollback(True)
    assert Institution.objects.count() == 0
    with transaction.atomic():
        prepared(insert, [1, 1, "X"])
    assert prepared(insert, [2, 2, "Y"]) == [(2,)]  # outside of one it is one by itself
    assert Institution.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_is_said_to_be_lost():
    ((mine,),) = prepared("SELECT pg_backend_pid()", [])
    with connection.copy().cursor() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [mine])
        other.connection.close()
    for _ in range(2):
        with pytest.raises(OperationalError):
            prepared("SELECT pg_backend_pid()", [])
    connection.close_if_unusable_or_obsolete()
    assert prepared("SELECT pg_backend_pid()", []) != [(mine,)]
