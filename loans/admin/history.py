"""Former states of reference data."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import display
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.history import HistoryAdmin
from loans.admin.base import FactAdmin, RegistryAdmin, in_yuan, percent, scheme_name, yuan
from loans.values.contacts import masked

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


class ContactHistoryAdmin(FactHistoryAdmin):
    """Former contacts of enterprises, masked as they are on their own pages."""

    def former_columns(self) -> list[str]:
        """The address masked."""
        return [
            "masked_address" if name == "address" else name for name in super().former_columns()
        ]

    def shown_value(self, field: Any, value: Any) -> str:
        """Likewise in what a change did."""
        is_address = field.name == "address" and isinstance(value, str)
        return masked(value) if is_address else super().shown_value(field, value)

    @display(description=_("联系地址"))
    def masked_address(self, obj: Any) -> str:
        """As it was, masked."""
        return masked(obj.address)


def register() -> None:
    """One page per table of former states."""
    for model in apps.get_app_config("loans").get_models():
        if model.__name__.endswith("Event"):
            admin.site.register(model, _page(model.__name__))


def _page(name: str) -> Any:
    if name == "EnterpriseContactEvent":
        return ContactHistoryAdmin
    return RegistryHistoryAdmin if name in OF_ENTERPRISES else FactHistoryAdmin


register()
