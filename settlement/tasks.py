"""Bells: each task makes one service call; the work itself is in PostgreSQL."""

from __future__ import annotations

import os
import socket
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from config.kernel.models import SCOPE_ALL
from settlement.services import (
    checked_runs,
    deductions,
    duplicates,
    missed_labels,
    notice_sending,
    orders,
    province_pulls,
    reconciliation,
    reviews,
)

WORK_TIME = timedelta(seconds=150)  # then the bell is rung again: no task nears its time limit


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


@shared_task(name="settlement.work_run")
def work_run(*, run_id: int, **_future: object) -> None:
    """Work on one deduction run until no chunk of it is left to take."""
    until = timezone.localtime() + WORK_TIME
    deductions.work_run(run_id=run_id, owner=_owner(), clock=timezone.localtime, until=until)
    if timezone.localtime() >= until:
        work_run.delay(run_id=run_id)


@shared_task(name="settlement.work_order")
def work_order(*, run_id: int, **_future: object) -> None:
    """Do what was ordered in the admin: plan, post results, try or post a recomputation."""
    until = timezone.localtime() + WORK_TIME
    orders.work_order(run_id=run_id, owner=_owner(), clock=timezone.localtime, until=until)


@shared_task(name="settlement.sweep_orders")
def sweep_orders(**_future: object) -> None:
    """Finish orders that a lost message or a killed worker left undone."""
    until = timezone.localtime() + WORK_TIME
    orders.work_open_orders(owner=_owner(), clock=timezone.localtime, until=until)


@shared_task(name="kernel.sweep")
def sweep(**_future: object) -> None:
    """Finish whatever a lost message or a killed worker left undone."""
    until = timezone.localtime() + WORK_TIME
    deductions.work_open_runs(owner=_owner(), clock=timezone.localtime, until=until)


@shared_task(name="settlement.run_deductions")
def run_deductions(*, actor: str, **_future: object) -> None:
    """Start bringing all deductions up to date, and look for duplicates before they are posted.

    The work is another task's: this one, handed out again after a killed worker, starts a new run,
    whose chunks would count their attempts from one for ever.
    """
    begun = checked_runs.begin_run(actor=actor, clock=timezone.localtime)
    if begun is not None:
        work_run.delay(run_id=begun.run.run_id)


@shared_task(name="settlement.reconcile")
def reconcile(**_future: object) -> None:
    """Put what bank statements and ledger differ in on record."""
    reconciliation.record_differences(scope=SCOPE_ALL, at=timezone.localtime())


@shared_task(name="settlement.propose_disallowances")
def propose_disallowances(**_future: object) -> None:
    """Propose back what finance's reviews disallowed."""
    reviews.propose_disallowances(actor="system", at=timezone.localtime())


@shared_task(name="settlement.check_duplicates", soft_time_limit=3000, time_limit=3300)
def check_duplicates(**_future: object) -> None:
    """Look for everything that is subsidised twice or misused; all of it or nothing is written."""
    duplicates.check_duplicates(at=timezone.localtime())


@shared_task(name="settlement.check_changed", soft_time_limit=3000, time_limit=3300)
def check_changed(**_future: object) -> None:
    """The same for what files, labels and runs have changed since anybody looked."""
    duplicates.check_changed(at=timezone.localtime())


@shared_task(name="settlement.find_missed_labels")
def find_missed_labels(*, actor: str | None = None, **_future: object) -> None:
    """Do the searches for missed labels that are ordered; with `actor`, order one first."""
    missed_labels.work_searches(owner=_owner(), clock=timezone.localtime, actor=actor)


@shared_task(name="settlement.send_notices")
def send_notices(**_future: object) -> None:
    """Send what enterprises are still to be told."""
    until = timezone.localtime() + WORK_TIME
    notice_sending.send_waiting(actor="system", clock=timezone.localtime, until=until)


@shared_task(name="settlement.pull_provinces")
def pull_provinces(**_future: object) -> None:
    """Ask systems of provinces for what they decided."""
    until = timezone.localtime() + WORK_TIME
    province_pulls.pull_all(clock=timezone.localtime, until=until)
