"""When a scheme version begins to count, and what counts until then."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from loans.models import InterestCollection
from settlement.models import Deduction, Enrolment, SchemeVersion
from settlement.services.schemes import SHIPPED, load_schemes
from tests.integration.book import (
    AT,
    PORTFOLIO,
    deduction_facts,
    exported,
    import_folder,
    load_shipped,
    run,
)
from tests.integration.small_book import (
    FIRST,
    SmallBook,
    agrees,
    told,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(tmp_path: Path) -> SmallBook:
    return SmallBook(tmp_path)


def test_a_new_version_applies_to_everything_and_the_old_text_brings_it_back(
    small: SmallBook,
) -> None:
    small.scheme()
    small.lend("A", FIRST)
    small.collect("A", 2)
    run()
    small.scheme(points="0.8")
    assert run()["differences"] == 1
    assert small.posted() == [("A-2", 0, 1000), ("A-2", 1, -200)]
    small.scheme()
    assert run()["differences"] == 1
    assert small.posted() == [("A-2", 0, 1000), ("A-2", 1, -200), ("A-2", 2, 200)]
    versions = Deduction.objects.order_by("sequence").values_list("version__version", flat=True)
    assert list(versions) == [1, 2, 3]
    assert agrees()
    small.scheme()
    assert SchemeVersion.objects.count() == 3
    assert run() == {}


def test_a_new_version_of_one_of_four_schemes(tmp_path: Path) -> None:
    """0.8 instead of 1.0 points: the same as if the file had said so from the beginning."""
    shipped = SHIPPED / "jiangsu-manufacturing-2026.toml"
    changed = tmp_path / shipped.name
    text = shipped.read_text(encoding="utf-8")
    line = 'provincial = { points = "1.0"'
    assert text.count(line) == 1
    changed.write_text(text.replace(line, 'provincial = { points = "0.8"'), encoding="utf-8")

    def load(path: Path) -> None:
        load_schemes(paths=[path], actor="system", checker="system-checker", at=AT)

    def nets() -> dict[tuple[str, ...], tuple[object, ...]]:
        return deduction_facts(exported("deductions", tmp_path))

    load_shipped()
    import_folder(PORTFOLIO)
    start = transaction.savepoint()
    load(changed)
    run()
    expected = nets()
    transaction.savepoint_rollback(start)
    run()
    as_shipped = nets()
    assert {key[0] for key in as_shipped if as_shipped[key] != expected.get(key)} == {
        "jiangsu-manufacturing-2026"
    }
    load(changed)
    assert run()["collections"] == InterestCollection.objects.count()
    assert nets() == expected
    load(shipped)
    run()
    assert nets() == as_shipped
    assert (
        Deduction.objects.filter(sequence=2).count()
        == Deduction.objects.filter(sequence=1).count()
        > 0
    )
    assert agrees()


def test_an_unchecked_version_waits_for_another_person(small: SmallBook) -> None:
    small.scheme()
    small.lend("A", FIRST)
    small.collect("A", 2)
    run()
    before = (small.posted(), list(Enrolment.objects.values()), told())
    small.scheme(points="0.8", checker=None)
    assert run() == {}
    assert (small.posted(), list(Enrolment.objects.values()), told()) == before
    assert agrees()
    waiting = SchemeVersion.objects.filter(checked_by=None)
    with (
        pytest.raises(IntegrityError, match="scheme_version_checked_by_another"),
        transaction.atomic(),
    ):
        waiting.update(checked_by="system")
    assert run() == {}
    assert small.posted() == before[0]
    waiting.update(checked_by="system-checker")
    run()
    assert small.net() == {"A-2": 800}


@pytest.mark.parametrize("is_first", [True, False])
def test_a_scheme_nobody_checked_yet_pays_nothing(small: SmallBook, is_first: bool) -> None:
    if not is_first:
        small.scheme(code="other")
    small.scheme(checker=None)
    small.lend("A", FIRST)
    small.collect("A", 2)
    assert run()["originals"] == 0
    assert not Enrolment.objects.exists()
    assert agrees()
    SchemeVersion.objects.filter(checked_by=None).update(checked_by="system-checker")
    run()
    assert small.net() == {"A-2": 1000}
    assert agrees()


def test_nobody_checks_what_they_made(small: SmallBook) -> None:
    with (
        pytest.raises(IntegrityError, match="scheme_version_checked_by_another"),
        transaction.atomic(),
    ):
        small.scheme(checker="system")
    assert not SchemeVersion.objects.exists()


# ---- which part is posted
