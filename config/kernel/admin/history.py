"""Former states of rows, as the database's triggers kept them: before → after, who, when, from where."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from datetime import datetime
from typing import Any

from django.contrib.admin import SimpleListFilter, display
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.html import format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import changes
from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.paging import BoundedChangeList
from config.kernel.admin.searching import Condition, number
from config.kernel.admin.sections import Section, texts
from config.kernel.models.history import ADDED, BEFORE_CHANGE, BEFORE_DELETE

WORDS = {ADDED: _("新增"), BEFORE_CHANGE: _("更正前"), BEFORE_DELETE: _("删除前")}


def history_of(model: type[Model]) -> Any:
    """The title of a table of former states."""
    name = model._meta.verbose_name  # noqa: SLF001 (Django's public name)
    return lazy(lambda: gettext("%(name)s（历史）") % {"name": name}, str)()


def _name_of(event: Any) -> str:
    """An event as people name it: which row, and when."""
    return f"#{event.pgh_obj_id} {_moment(event.pgh_created_at)}"


def _moment(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


HEAD = ("kept_at", "what", "row_count", "who", "from_where", "changes")


class HistoryChangeList(BoundedChangeList):
    """A list of events, each with what it changed."""

    def get_results(self, request: HttpRequest) -> None:
        """Work the changes out for the page's rows together."""
        super().get_results(request)
        found: Any = self
        found.result_list = list(found.result_list)
        self.model_admin.work_out(found.result_list)


def changed_columns(request: HttpRequest, event: Any) -> Section:
    """Every column the change touched, whole."""
    page: HistoryAdmin = event.kernel_page
    page.work_out([event])
    return Section(
        title=_("更正内容"),
        columns=texts(_("字段"), _("更正前的值"), _("更正后的值")),
        rows=[(page.title_of(one.field), *page.both(event, one)) for one in event.kernel_changes],
    )


class EventFilter(SimpleListFilter):
    """By what happened to the row."""

    title = _("事件")
    parameter_name = "pgh_label"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """What the triggers keep."""
        return list(WORDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """States kept for that reason."""
        return queryset.filter(pgh_label=self.value()) if self.value() else queryset


class HistoryAdmin(ReadOnlyAdmin):
    """A table of former states: when, why, which row, by whom and from where, and what changed."""

    when_empty = _("没有被更正或删除过的记录；有更正时，更正前的内容留在这里。")
    ordering: Sequence[str] = ("-pgh_id",)
    list_filter: Sequence[Any] = (EventFilter,)
    search_by: Sequence[Condition] = (number("pgh_obj_id"),)
    finance_sees = False
    search_help_text = _("记录序号")
    sections = (changed_columns,)
    change_form_before_template = "kernel/sections.html"
    change_form_after_template = ""

    def __init__(self, model: type[Model], admin_site: Any) -> None:
        super().__init__(model, admin_site)
        # Names of the table and its rows are English and made up; a copy, so that migrations see no change.
        self.opts = copy(self.model._meta)  # noqa: SLF001 (Django's public name)
        tracked: Any = model.pgh_tracked_model  # type: ignore[attr-defined]
        self.opts.verbose_name = self.opts.verbose_name_plural = history_of(tracked)
        model.__str__ = _name_of  # type: ignore[method-assign]

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Not on the first page: the sidebar and each row's own page lead here."""
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedChangeList]:
        """The list's class."""
        return HistoryChangeList

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        """Every column as it was, after what is said of the change."""
        return [*HEAD, *self.former_columns()]

    def former_columns(self) -> list[str]:
        """The tracked table's columns."""
        return [name for name in self.shown_columns() if name not in changes.OWN]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """The change in a section of its own; here who and when, and the whole row as it was."""
        return [*(name for name in HEAD if name != "changes"), *self.former_columns()]

    def get_list_select_related(self, request: HttpRequest) -> Sequence[str]:
        """Everything a column refers to, and who did it."""
        related = [f.name for f in self.opts.concrete_fields if f.is_relation]
        shown = self.get_list_display(request)
        return ["pgh_context", *(name for name in related if name in shown)]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Model | None:
        """The event, knowing the page that shows it."""
        event: Any = super().get_object(request, object_id, from_field)
        if event is not None:
            event.kernel_page = self
            event._meta = self.opts  # noqa: SLF001 (Django's public name): the page's path is in words
        return event  # type: ignore[no-any-return]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Also: all former states of one row."""
        return lookup == "pgh_obj_id" or super().lookup_allowed(lookup, value, request)

    def work_out(self, events: Sequence[Any]) -> None:
        """What each of these events changed, and what it refers to is called."""
        changes.attach(events)
        names = changes.named(one for event in events for one in event.kernel_changes)
        for event in events:
            event.kernel_names = names

    def title_of(self, field: Any) -> Any:
        """A column's title."""
        return field.verbose_name

    def shown_value(self, field: Any, value: Any) -> str:
        """A value as people read it; pages of facts know amounts and rates."""
        if value is None or value == "":
            return "—"
        if isinstance(value, bool):
            return gettext("是") if value else gettext("否")
        if isinstance(value, list):
            return "；".join(self.shown_value(field, one) for one in value) or "—"
        return str(dict(field.flatchoices).get(value, value))

    def both(self, event: Any, one: changes.Change) -> tuple[str, str]:
        """The value before and after."""
        before, after = (
            (one.field.is_relation and event.kernel_names.get((one.field.attname, value)))
            or self.shown_value(one.field, value)
            for value in (one.before, one.after)
        )
        return before, after

    @display(description=_("记录时间"))
    def kept_at(self, obj: Any) -> Any:
        """When the row was changed or deleted."""
        return _moment(obj.pgh_created_at)

    @display(description=_("事件"))
    def what(self, obj: Any) -> Any:
        """What happened to it then."""
        return WORDS.get(obj.pgh_label, obj.pgh_label)

    @display(description=_("记录序号"))
    def row_count(self, obj: Any) -> str:
        """Which row it was, by number."""
        return str(obj.pgh_obj_id)

    @display(description=_("操作人"))
    def who(self, obj: Any) -> str:
        """Who made the change."""
        return changes.who(obj)

    @display(description=_("来源"))
    def from_where(self, obj: Any) -> str | None:
        """From which address and page, or by which command."""
        return changes.from_where(obj) or None

    @display(description=_("更正内容"))
    def changes(self, obj: Any) -> Any:
        """Each column before → after, cut to what fits in a list."""
        lines = (
            (self.title_of(one.field), *(Truncator(v).chars(changes.SHOWN) for v in both))
            for one in obj.kernel_changes
            for both in [self.both(obj, one)]
        )
        return format_html_join("", "<div>{}：{} → {}</div>", lines) or self.empty_value_display
