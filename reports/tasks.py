"""Bells: each task makes one service call; the work itself is in PostgreSQL."""

from __future__ import annotations

import os
import socket
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from reports.services import jobs, obligations, reminders

WORK_TIME = timedelta(seconds=150)  # then none is begun
# A register of millions of rows takes its time. Redis may hand the message out again meanwhile: who
# gets it finds the chunk in hand.
LIMITS = {"soft_time_limit": 3300, "time_limit": 3600}


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


@shared_task(name="reports.work_job", **LIMITS)
def work_job(*, run_id: int, **_future: object) -> None:
    """Make the report or export that was ordered."""
    until = timezone.localtime() + WORK_TIME
    jobs.work_job(run_id=run_id, owner=_owner(), clock=timezone.localtime, until=until)


@shared_task(name="reports.sweep", **LIMITS)
def sweep(**_future: object) -> None:
    """Finish whatever a lost message or a killed worker left undone."""
    until = timezone.localtime() + WORK_TIME
    jobs.work_open_jobs(owner=_owner(), clock=timezone.localtime, until=until)


@shared_task(name="reports.prepare")
def prepare(*, code: str, **_future: object) -> None:
    """Order the drafts of one report that should be there by now."""
    for run_id in jobs.prepare(code=code, at=timezone.localtime()):
        work_job.delay(run_id=run_id)


@shared_task(name="reports.remind")
def remind(**_future: object) -> None:
    """Remind people of what is due and overdue."""
    reminders.remind(at=timezone.localtime())


@shared_task(name="reports.refresh_deadlines")
def refresh_deadlines(**_future: object) -> None:
    """Work the deadlines out again, after days off were brought in; each night's drafts do so too."""
    obligations.refresh(today=timezone.localdate())
