"""Whatever arrives in whatever order, the net deductions are what one run over all facts gives (D20).

The independent oracle of `tests/reference` says what that is.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.services.verification import verify
from tests.integration.book import (
    deduction_facts,
    enrolment_facts,
    exported,
    import_rows,
    load_shipped,
    run,
)
from tests.reference import oracle
from tests.reference.facts import Portfolio
from tests.reference.features import ALL_FEATURES, features
from tests.reference.histories import Step, histories
from tests.reference.portfolios import COVERING_SEEDS, portfolios, random_portfolio

pytestmark = pytest.mark.django_db


def live(steps: Iterable[Step], folder: Path) -> None:
    """Bring the files in and run, step by step."""
    for step in steps:
        if step.action == "import":
            import_rows(step.kind, step.rows, folder)
        else:
            run(through=step.through)


def assert_is_what_one_run_gives(final: Portfolio, folder: Path) -> set[str]:
    """Compare enrolments, deductions and guarantee subsidies; returns the features met."""
    judged, due = oracle.assess(final), oracle.deductions(final)
    guaranteed = oracle.guarantee_subsidies(final)
    assert enrolment_facts(exported("enrolments", folder)) == enrolment_facts(judged)
    assert deduction_facts(exported("deductions", folder)) == deduction_facts(due)
    paid = {
        (row["scheme_code"], row["institution_code"], row["guarantee_number"]): row["subsidy"]
        for row in exported("guarantee-subsidies", folder)
        if row["status"] == "eligible"
    }
    assert paid == {
        (row["scheme_code"], row["institution_code"], row["guarantee_number"]): row["subsidy"]
        for row in guaranteed
        if row["status"] == "eligible"
    }
    assert verify().problems == []
    return features(final, judged, due, guaranteed)


class _Undone(Exception):
    pass


def lived_apart(seed: int, portfolio: Portfolio, folder: Path) -> set[str]:
    """One history in a book of its own, undone afterwards; returns the features it met."""
    steps, final = histories(seed, portfolio, pieces=1)
    met: set[str] = set()
    try:
        with transaction.atomic():
            load_shipped()
            live(steps, folder)
            met = assert_is_what_one_run_gives(final, folder)
            raise _Undone
    except _Undone:
        return met


def test_histories_that_meet_every_rule_end_in_what_one_run_gives(tmp_path: Path) -> None:
    met: set[str] = set()
    for seed, notes in COVERING_SEEDS:
        met |= lived_apart(seed, random_portfolio(seed, notes=notes), tmp_path)
    assert met == ALL_FEATURES


@settings(max_examples=15)
@given(portfolio=portfolios(), seed=st.integers(0, 2**32 - 1))
def test_any_history_ends_in_what_one_run_gives(
    tmp_path_factory: pytest.TempPathFactory, portfolio: Portfolio, seed: int
) -> None:
    lived_apart(seed, portfolio, tmp_path_factory.mktemp("history"))
