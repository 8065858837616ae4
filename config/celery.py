"""The worker's way in. Tasks are bells: work is claimed in PostgreSQL, Redis may lose anything."""

import os
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init, celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

VISIBILITY_SECONDS = 900  # Redis hands a task out again after this: all three places must agree
# When drafts are looked after: one entry per report that some document sets a day for. What is due is
# read from the obligations, so an entry that did not run is made up by its next one.
PREPARED = {
    "new-loans": crontab(hour=2, minute=0),
    "monthly-execution": crontab(hour=2, minute=5),
    "monthly-application": crontab(hour=2, minute=10),
    "quarterly-payout": crontab(hour=2, minute=15),
    "annual-demand": crontab(hour=2, minute=20),
    "annual-settlement": crontab(hour=2, minute=25),
    "liquidation": crontab(hour=2, minute=30),
}
app = Celery("tiexi")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_default_queue="runs",
    task_serializer="json",
    accept_content=["json"],
    result_backend=None,
    result_expires=None,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_soft_time_limit=240,
    task_time_limit=300,
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=True,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    worker_soft_shutdown_timeout=45,
    worker_max_tasks_per_child=500,
    worker_eta_task_limit=200,
    broker_transport_options={
        "visibility_timeout": VISIBILITY_SECONDS,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 2,
        "socket_timeout": 10,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 25,
        "retry_on_timeout": True,
    },
    visibility_timeout=VISIBILITY_SECONDS,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_pool_acquire_timeout=2,  # a web request never hangs on the broker
    beat_cron_starting_deadline=600,
    beat_schedule={
        # Nobody needs the sweeps that were missed while no worker ran.
        "sweep": {"task": "kernel.sweep", "schedule": 60.0, "options": {"expires": 60.0}},
        "deliver": {"task": "kernel.deliver", "schedule": 10.0, "options": {"expires": 10.0}},
        "reconcile": {
            "task": "settlement.reconcile",
            "schedule": crontab(hour=6, minute=30),
            "options": {"expires": 3600.0},
        },
        "propose-disallowances": {
            "task": "settlement.propose_disallowances",
            "schedule": crontab(hour=6, minute=45),
            "options": {"expires": 3600.0},
        },
        "sweep-orders": {
            "task": "settlement.sweep_orders",
            "schedule": 60.0,
            "options": {"expires": 60.0},
        },
        "check-duplicates": {
            "task": "settlement.check_duplicates",
            "schedule": crontab(hour=4, minute=0),
            "options": {"expires": 3600.0},
        },
        "check-changed": {
            "task": "settlement.check_changed",
            "schedule": 60.0,
            "options": {"expires": 60.0},
        },
        "find-missed-labels": {
            "task": "settlement.find_missed_labels",
            "schedule": crontab(hour=5, minute=30),
            "kwargs": {"actor": "system"},
            "options": {"expires": 3600.0},
        },
        "send-notices": {
            "task": "settlement.send_notices",
            "schedule": 60.0,
            "options": {"expires": 60.0},
        },
        "pull-provinces": {
            "task": "settlement.pull_provinces",
            "schedule": 600.0,
            "options": {"expires": 600.0},
        },
        "sweep-imports": {"task": "loans.sweep", "schedule": 60.0, "options": {"expires": 60.0}},
        "sweep-jobs": {"task": "reports.sweep", "schedule": 60.0, "options": {"expires": 60.0}},
        # Hourly in office hours: who was told today is not told again, a letter that failed is.
        "remind": {
            "task": "reports.remind",
            "schedule": crontab(hour="8-17", minute=30),
            "options": {"expires": 1800.0},
        },
        **{
            f"prepare-{code}": {
                "task": "reports.prepare",
                "schedule": schedule,
                "kwargs": {"code": code},
                "options": {"expires": 3600.0},
            }
            for code, schedule in PREPARED.items()
        },
    },
    timezone="Asia/Shanghai",
)
app.autodiscover_tasks()


@celeryd_init.connect
def _prepare_worker(**_: Any) -> None:
    """Start the servers and refuse a role that could do more than `worker`."""
    from config import checks

    _or_exit(checks.prepare, "worker")


@beat_init.connect
def _prepare_beat(**_: Any) -> None:
    from config import checks

    _or_exit(checks.start_servers)


def _or_exit(step: Callable[..., None], *arguments: str) -> None:
    """Celery logs what a signal's receiver raises and goes on; only an exit stops it."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import OperationalError

    from config.embedded import EmbeddedError

    try:
        step(*arguments)
    except (ImproperlyConfigured, OperationalError, EmbeddedError) as error:
        raise SystemExit(str(error)) from error
