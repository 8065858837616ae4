"""Runs and plans begin with a look at what changed: what findings block is known before money moves."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

import polars as pl

from loans.values.errors import DomainError, bilingual
from settlement.services.assessments import assess_notes
from settlement.services.deductions import Started, start_run
from settlement.services.duplicates import check_changed
from settlement.services.finding_records import Checked
from settlement.services.plans import make_plans

logger = logging.getLogger(__name__)
RUN_PATIENCE = "3min"  # how long a run waits for a check under way


@dataclass(frozen=True)
class Looked:
    """How many labels changed, what a check of what changed did, or why there is none."""

    labels_changed: int
    checked: Checked | None
    why_not: str = ""


@dataclass(frozen=True)
class Begun:
    """The run that was cut, and what the check before it found, or why there was none."""

    run: Started
    checked: Checked | None
    why_not: str = ""


@dataclass(frozen=True)
class Planned:
    """The plans that were drafted, and why there was no check before them."""

    plan_ids: list[int]
    why_not: str = ""


def begin_run(
    *,
    actor: str,
    clock: Callable[[], datetime],
    through: date | None = None,
    scheme: str | None = None,
    scope: tuple[int, int] | None = None,
) -> Begun | None:
    """Judge labels, check what changed, cut a run (`deductions.start_run`); None if nothing was collected.

    The check comes before the cut: what it frees is due in this run. One that fails stops no run: the
    borrower is served on the day, by what findings block so far.
    """
    looked = look(clock=clock)
    started = start_run(actor=actor, at=clock(), through=through, scheme=scheme, scope=scope)
    if started is None:
        return None
    labels = started.labels_changed + looked.labels_changed
    return Begun(replace(started, labels_changed=labels), looked.checked, looked.why_not)


def begin_plans(
    *,
    actor: str,
    clock: Callable[[], datetime],
    through: date,
    scope: tuple[int, int],
    at: datetime | None = None,
    send: bool = True,
) -> Planned:
    """Judge labels, check what changed, then draft plans (`plans.make_plans`), at a given moment if `at`."""
    looked = look(clock=clock)
    made = make_plans(through=through, scope=scope, actor=actor, at=at or clock(), send=send)
    return Planned(made, looked.why_not)


def look(*, clock: Callable[[], datetime]) -> Looked:
    """Judge labels, then check what changed, so that what findings block is known before money moves."""
    judged = assess_notes(at=clock(), only_if_stale=True)
    labels = judged.changed + judged.removed
    try:
        return Looked(labels, check_changed(at=clock(), patience=RUN_PATIENCE))
    except DomainError as refused:  # of a circle whose key is not here
        return Looked(labels, None, refused.message)
    except (Exception, pl.exceptions.PanicException) as error:
        logger.exception("the check before a run failed")
        said = bilingual(
            f"核查失败，本次按已有的核查事项继续：{error!r}",
            "the check failed; this goes on by the findings there are",
        )
        return Looked(labels, None, said)
