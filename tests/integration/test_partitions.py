"""Collections and deductions live in monthly partitions, found by id as in any other table."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from loans.models import InterestCollection
from settlement.models import Deduction
from tests.integration import rows
from tests.integration.rows import NANJING, SUZHOU

pytestmark = pytest.mark.django_db


def lines(statement: str, *params: object) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return [str(row[0]) for row in cursor.fetchall()]


def partition_of(table: str, pk: int) -> str:
    return lines(f"SELECT tableoid::regclass::text FROM {table} WHERE id = %s", pk)[0]


def test_there_are_partitions_for_four_years_and_the_rest() -> None:
    for table in ("loans_interestcollection", "settlement_deduction"):
        names = lines(
            "SELECT relid::regclass::text FROM pg_partition_tree(%s) WHERE isleaf ORDER BY 1", table
        )
        months = [
            f"{table}_{year}{month:02}" for year in range(2026, 2030) for month in range(1, 13)
        ]
        assert names == [*months, f"{table}_default"]


@pytest.mark.parametrize(
    ("day", "month"),
    [
        (date(2026, 1, 1), "202601"),
        (date(2026, 3, 31), "202603"),
        (date(2026, 12, 31), "202612"),
        (date(2029, 12, 31), "202912"),
        (date(2025, 12, 31), "default"),
        (date(2030, 1, 1), "default"),
    ],
)
def test_a_collection_and_its_deductions_land_in_the_month_collected(day: date, month: str) -> None:
    note = rows.note(rows.institutions()[NANJING])
    collected = rows.collection(note, day)
    posted = rows.deduction(collected)
    assert collected.pk // 10**12 == posted.pk // 10**12 == day.year * 100 + day.month
    assert partition_of("loans_interestcollection", collected.pk).endswith(f"_{month}")
    assert partition_of("settlement_deduction", posted.pk).endswith(f"_{month}")
    assert InterestCollection.objects.get(pk=collected.pk).collected_on == day
    assert note.collections.get().deductions.get() == posted


def test_ids_count_up_within_and_across_months() -> None:
    first, second = rows.collection_id(date(2026, 3, 1)), rows.collection_id(date(2026, 4, 30))
    assert first // 10**12 == 202603
    assert second // 10**12 == 202604
    assert second % 10**12 == first % 10**12 + 1
    assert rows.deduction_id(first) // 10**12 == 202603


def test_fetching_by_id_or_by_date_reads_one_partition() -> None:
    note = rows.note(rows.institutions()[NANJING])
    collected = rows.collection(note)
    rows.deduction(collected)
    for model in (InterestCollection, Deduction):
        plan = model.objects.filter(pk=model.objects.get().pk).explain()
        assert f"{model._meta.db_table}_202603" in plan
        assert "Append" not in plan
        plan = model.objects.filter(collected_on=date(2026, 3, 21)).explain()
        assert f"{model._meta.db_table}_202603" in plan
        assert f"{model._meta.db_table}_202602" not in plan
        assert f"{model._meta.db_table}_202604" not in plan


@pytest.mark.parametrize("collected_on", [date(2026, 4, 1), date(2025, 3, 21), date(2031, 1, 1)])
def test_an_id_of_another_month_than_the_date_is_refused(collected_on: date) -> None:
    note = rows.note(rows.institutions()[NANJING])
    for other in (date(2026, 3, 21), date(2025, 12, 31)):
        with pytest.raises(IntegrityError, match="_month"), transaction.atomic():
            rows.collection(note, collected_on, id=rows.collection_id(other))
    assert InterestCollection.objects.count() == 0


def test_a_deduction_in_another_month_than_its_collection_is_refused() -> None:
    collected = rows.collection(rows.note(rows.institutions()[NANJING]))
    strange = rows.deduction_id(rows.collection_id(date(2026, 4, 1)))
    with (
        pytest.raises(IntegrityError, match="deduction_in_month_of_collection"),
        transaction.atomic(),
    ):
        rows.deduction(collected, id=strange, collected_on=date(2026, 4, 1))
    assert Deduction.objects.count() == 0


def test_a_reference_is_collected_once_per_institution_and_planned_once() -> None:
    banks = rows.institutions()
    note = rows.note(banks[NANJING])
    plan = rows.collection(note, reference="R1", interest_paid_fen=None)
    rows.collection(note, reference="R1", completes=plan)
    rows.collection(rows.note(banks[SUZHOU]), reference="R1")
    for paid in (None, 500_000):
        with pytest.raises(IntegrityError, match="_202603_key"), transaction.atomic():
            rows.collection(note, reference="R1", interest_paid_fen=paid)
    assert InterestCollection.objects.count() == 3


def test_a_deduction_is_posted_once_per_collection_scheme_and_sequence() -> None:
    collected = rows.collection(rows.note(rows.institutions()[NANJING]))
    rows.deduction(collected)
    rows.deduction(collected, sequence=1, central_fen=-1)
    with pytest.raises(IntegrityError, match="_202603_key"), transaction.atomic():
        rows.deduction(collected, sequence=1)
    assert sorted(Deduction.objects.values_list("sequence", "central_fen")) == [
        (0, 123_456),
        (1, -1),
    ]


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"period_end": date(2026, 1, 15)}, "collection_period_has_days"),
        ({"interest_paid_fen": 500_001}, "collection_paid_within_due"),
        ({"interest_paid_fen": -500_001}, "collection_paid_within_due"),
        ({"interest_due_fen": -1, "interest_paid_fen": None}, "collection_due_not_negative"),
    ],
)
def test_impossible_collections_are_refused(fields: dict[str, object], rule: str) -> None:
    note = rows.note(rows.institutions()[NANJING])
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        rows.collection(note, **fields)
    assert InterestCollection.objects.count() == 0


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"matures_on": date(2026, 1, 15)}, "note_matures_after_drawdown"),
        ({"equipment_fen": 100_000_001}, "note_equipment_within_principal"),
        ({"principal_fen": 0}, "note_principal_positive"),
        ({"rate_ppm": 360_001}, "note_rate_at_most_36_percent"),
    ],
)
def test_impossible_notes_are_refused(fields: dict[str, object], rule: str) -> None:
    bank = rows.institutions()[NANJING]
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        rows.note(bank, **fields)
