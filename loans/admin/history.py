"""Former states of reference data."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin

from config.kernel.admin.history import HistoryAdmin
from loans.admin.base import FactAdmin, RegistryAdmin, in_yuan, percent, scheme_name, yuan

OF_ENTERPRISES = ("EnterpriseRecordEvent", "EnterpriseTitleEvent", "ProjectEvent")


class FactHistoryAdmin(HistoryAdmin, FactAdmin):
    """Former states of facts, in yuan and percent; the database decides which rows."""

    def title_of(self, field: Any) -> Any:
        """A column's title, with its unit."""
        is_amount = field.name.endswith("_fen")
        return in_yuan(field.verbose_name) if is_amount else super().title_of(field)

    def shown_value(self, field: Any, value: Any) -> str:
        """Amounts in yuan, rates in percent, policies by name."""
        if field.name.endswith("_fen"):
            return yuan(value) or "—"
        if field.name.endswith("_ppm"):
            return percent(value) or "—"
        if field.name in ("scheme_code", "scheme_codes") and isinstance(value, str):
            return scheme_name(value)
        return super().shown_value(field, value)


class RegistryHistoryAdmin(FactHistoryAdmin, RegistryAdmin):
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
