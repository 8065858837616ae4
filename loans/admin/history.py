"""Former states of reference data."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin

from config.kernel.admin.history import HistoryAdmin
from loans.admin.base import FactAdmin, RegistryAdmin

OF_ENTERPRISES = ("EnterpriseRecordEvent", "EnterpriseTitleEvent", "ProjectEvent")


class FactHistoryAdmin(HistoryAdmin, FactAdmin):
    """Former states of facts, in yuan and percent; the database decides which rows."""


class RegistryHistoryAdmin(HistoryAdmin, RegistryAdmin):
    """Former states of the enterprise registry, as far as the person sees it."""


def register() -> None:
    """One page per table of former states."""
    for model in apps.get_app_config("loans").get_models():
        if model.__name__.endswith("Event"):
            page: Any = (
                RegistryHistoryAdmin if model.__name__ in OF_ENTERPRISES else FactHistoryAdmin
            )
            admin.site.register(model, page)


register()
