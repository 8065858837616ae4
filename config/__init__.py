"""Wiring: settings, addresses, workers, and the kernel every app stands on.

The web has to know the Celery app too: without it a task it calls would look for a broker of its own.
"""

from config.celery import app as celery_app

__all__ = ["celery_app"]
