"""Former states of policies and of the texts of their terms."""

from __future__ import annotations

from django.apps import apps
from django.contrib import admin

from config.kernel.admin.history import HistoryAdmin


@admin.register(apps.get_model("settlement", "SchemeEvent"))
class SchemeEventAdmin(HistoryAdmin):
    """Former states of policies."""


@admin.register(apps.get_model("settlement", "SchemeVersionEvent"))
class SchemeVersionEventAdmin(HistoryAdmin):
    """Former states of texts: who put which in force."""

    def former_columns(self) -> list[str]:
        """Without the text: it is never changed, and long."""
        return [name for name in super().former_columns() if name != "text"]
