"""A run of its own accord begins with a look at what changed: findings are there before money moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from loans.values.errors import DomainError
from settlement.services.deductions import Started, start_run
from settlement.services.duplicates import check_changed
from settlement.services.finding_records import Checked


@dataclass(frozen=True)
class Begun:
    """The run that was cut, and what the check before it found, or why there was none."""

    run: Started
    checked: Checked | None
    why_not: str = ""


def begin_run(
    *,
    actor: str,
    clock: Callable[[], datetime],
    through: date | None = None,
    scheme: str | None = None,
    scope: tuple[int, int] | None = None,
) -> Begun | None:
    """Judge labels, cut a run (`deductions.start_run`), check what changed; None if nothing was collected.

    What is posted does not depend on findings (F5), so a check that is refused, as of a circle whose key
    is missing, stops no run.
    """
    started = start_run(actor=actor, at=clock(), through=through, scheme=scheme, scope=scope)
    if started is None:
        return None
    try:
        return Begun(started, check_changed(at=clock()))
    except DomainError as refused:
        return Begun(started, None, refused.message)
