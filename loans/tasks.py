"""Bells: each task makes one service call; the work itself is in PostgreSQL."""

from __future__ import annotations

import os
import socket
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from loans.services import import_work

WORK_TIME = timedelta(seconds=150)  # then none is begun
# A file of a million rows takes its time. Redis may hand the message out again meanwhile: who gets it
# finds the chunk in hand.
LIMITS = {"soft_time_limit": 3300, "time_limit": 3600}


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


@shared_task(name="loans.work_import", **LIMITS)
def work_import(*, run_id: int, **_future: object) -> None:
    """Look at a file, take it in, or take an accepted one back, as was ordered."""
    until = timezone.localtime() + WORK_TIME
    import_work.work_import(run_id=run_id, owner=_owner(), clock=timezone.localtime, until=until)


@shared_task(name="loans.sweep", **LIMITS)
def sweep(**_future: object) -> None:
    """Finish whatever a lost message or a killed worker left undone."""
    until = timezone.localtime() + WORK_TIME
    import_work.work_open_imports(owner=_owner(), clock=timezone.localtime, until=until)
