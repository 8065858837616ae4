"""Bells: each task makes one service call; the work itself is in PostgreSQL."""

from __future__ import annotations

import os
import socket

from celery import shared_task
from django.utils import timezone

from settlement.services import deductions


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


@shared_task(name="settlement.work_run", queue="runs")
def work_run(*, run_id: int, **_future: object) -> None:
    """Work on one deduction run until no chunk of it is left to take."""
    deductions.work_run(run_id=run_id, owner=_owner(), clock=timezone.localtime)


@shared_task(name="kernel.sweep", queue="runs")
def sweep(**_future: object) -> None:
    """Finish whatever a lost message or a killed worker left undone."""
    deductions.work_open_runs(owner=_owner(), clock=timezone.localtime)


@shared_task(name="settlement.run_deductions", queue="runs")
def run_deductions(*, actor: str, **_future: object) -> None:
    """Bring all deductions up to date."""
    deductions.run(actor=actor, owner=_owner(), clock=timezone.localtime)
