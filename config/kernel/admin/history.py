"""Former states of rows, as the database's triggers kept them."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

from django.contrib.admin import display
from django.db.models import Model
from django.http import HttpRequest
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.searching import number
from config.kernel.models.history import BEFORE_CHANGE, BEFORE_DELETE

WORDS = {BEFORE_CHANGE: _("更正前"), BEFORE_DELETE: _("删除前")}
OWN = ("pgh_id", "pgh_created_at", "pgh_label", "pgh_obj", "pgh_context", "pgh_context_id", "id")


def history_of(model: type[Model]) -> Any:
    """The title of a table of former states."""
    name = model._meta.verbose_name  # noqa: SLF001 (Django's public name)
    return lazy(lambda: gettext("%(name)s（历史）") % {"name": name}, str)()


HEAD = ("kept_at", "what", "row_count")


class HistoryAdmin(ReadOnlyAdmin):
    """A table of former states: when, why, which row, and every column as it was."""

    when_empty = _("没有被更正或删除过的记录；有更正时，更正前的内容留在这里。")
    ordering: Sequence[str] = ("-pgh_id",)
    list_filter = ("pgh_label",)
    finance_sees = False
    search_by = (number("pgh_obj_id"),)
    search_help_text = _("记录序号")

    def __init__(self, model: type[Model], admin_site: Any) -> None:
        super().__init__(model, admin_site)
        # The table's own name is English and made up; a copy, so that migrations see no change.
        self.opts = copy(self.model._meta)  # noqa: SLF001 (Django's public name)
        tracked: Any = model.pgh_tracked_model  # type: ignore[attr-defined]
        self.opts.verbose_name = self.opts.verbose_name_plural = history_of(tracked)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Not on the first page: the sidebar and each row's own page lead here."""
        return False

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        """Every column, after when and why."""
        return [*HEAD, *(name for name in self.shown_columns() if name not in OWN)]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """The same as in the list."""
        return self.get_list_display(request)

    def get_list_select_related(self, request: HttpRequest) -> Sequence[str]:
        """Everything a column refers to."""
        related = [f.name for f in self.opts.concrete_fields if f.is_relation]
        return [name for name in related if name in self.get_list_display(request)]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Also: all former states of one row."""
        return lookup == "pgh_obj_id" or super().lookup_allowed(lookup, value, request)

    @display(description=_("记录时间"))
    def kept_at(self, obj: Any) -> Any:
        """When the row was changed or deleted."""
        return obj.pgh_created_at

    @display(description=_("事件"))
    def what(self, obj: Any) -> Any:
        """What happened to it then."""
        return WORDS.get(obj.pgh_label, obj.pgh_label)

    @display(description=_("记录序号"))
    def row_count(self, obj: Any) -> str:
        """Which row it was, by number."""
        return str(obj.pgh_obj_id)
