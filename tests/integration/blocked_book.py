"""One loan entered twice, and people who say what it is: the book that tests of blocked subsidies share."""

from __future__ import annotations

from pathlib import Path

import pytest

from settlement.models import (
    Finding,
)
from settlement.services import (
    checked_runs,
    deductions,
    findings,
)
from settlement.services.verification import Verified
from tests.integration.book import AT, exported
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, SmallBook


def run() -> dict[str, int]:
    """A run of its own accord: a check of what changed, then the posting; its counts."""
    begun = checked_runs.begin_run(actor="system", clock=lambda: AT)
    assert begun is not None and begun.why_not == ""
    return deductions.work_run(run_id=begun.run.run_id, owner="test", clock=lambda: AT)


def twice() -> Finding:
    """The loan that was entered twice."""
    return Finding.objects.get(rule="P2")


def told(small: SmallBook) -> dict[str, str]:
    """What the list of findings says of it."""
    (row,) = (row for row in exported("findings", small.folder) if row["rule"] == "P2")
    return row


def decide(outcome: str, rule: str = "P2") -> int:
    """Two people say what it is."""
    finding = Finding.objects.get(rule=rule)
    made = findings.propose_decision(
        finding_id=finding.pk, outcome=outcome, why="合同原件核对", actor="maker", at=AT
    )
    findings.check_decision(decision_id=made, actor="checker", at=AT)
    return int(finding.pk)


def left(found: Verified) -> tuple[list[str], int, int]:
    return found.problems, found.waiting, found.blocked


@pytest.fixture
def small(tmp_path: Path) -> SmallBook:
    """One loan entered twice, at two branches, and another; a month's interest of each."""
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("JK-1", FIRST)
    book.lend("JK1", FIRST, at=SOUTH)
    book.lend("B", SECOND)
    for number, at in (("JK-1", NORTH), ("JK1", SOUTH), ("B", NORTH)):
        book.collect(number, 2, at=at, reference=f"{number}-2")
    return book
