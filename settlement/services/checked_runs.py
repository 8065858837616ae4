"""A run of its own accord begins with a look at what changed: findings are there before money moves."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from loans.values.errors import DomainError, bilingual
from settlement.services.deductions import Started, start_run
from settlement.services.duplicates import check_changed
from settlement.services.finding_records import Checked

logger = logging.getLogger(__name__)
UNDER_WAY = bilingual(
    "另一次核查正在进行，变化留待其后核查",
    "another check is under way; what changed is looked at after it",
)


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

    What is posted does not depend on findings (F5), so whatever a check ends in stops no run.
    """
    started = start_run(actor=actor, at=clock(), through=through, scheme=scheme, scope=scope)
    if started is None:
        return None
    try:
        checked = check_changed(at=clock())
    except DomainError as refused:  # of a circle whose key is not here
        return Begun(started, None, refused.message)
    except (Exception, pl.exceptions.PanicException) as error:
        logger.exception("the check before run %s failed", started.run_id)
        return Begun(
            started,
            None,
            bilingual(
                f"核查失败，本次运行不受影响：{error!r}", "the check failed; the run goes on"
            ),
        )
    return Begun(started, checked, "" if checked else UNDER_WAY)
