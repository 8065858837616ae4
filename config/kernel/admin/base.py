"""Pages that show: facts change through files, results through runs, money through steps of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.utils import lookup_field, unquote
from django.core.exceptions import PermissionDenied
from django.db import DataError, OperationalError, transaction
from django.db.models import Model, Q, QuerySet, UniqueConstraint
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.html import strip_tags
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from config.kernel.admin.access import sees_as_finance, staff
from config.kernel.admin.paging import BoundedChangeList, BoundedPaginator
from config.kernel.admin.searching import TERM_MAX, Condition, is_storable
from config.kernel.admin.sections import Button, MakeSection, Section
from config.kernel.admin.waiting import WaitingFilter, of_model

LOOKUPS = {"exact", "in", "isnull", "gt", "gte", "lt", "lte", "id", "year", "month", "day"}
UNREADABLE = (DisallowedModelAdminLookup, DataError, ValueError, OverflowError)


class Named:
    """A row for the top of its page, by another name than its own text."""

    def __init__(self, row: Model, name: str) -> None:
        self.pk, self._meta, self.name = row.pk, row._meta, name  # noqa: SLF001

    def __str__(self) -> str:
        return self.name


def display_for(admin: ModelAdmin, name: str, row: Model) -> str:
    """A column of a row as text: words for what is chosen from a list."""
    field, _attribute, value = lookup_field(name, row, admin)
    if field is not None and getattr(field, "choices", None):
        value = getattr(row, f"get_{name}_display")()
    return strip_tags(str(value))


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """What every page shares: permissions, bounded lists, indexed search, no 500 on bad input."""

    list_per_page = 50
    list_max_show_all = 0
    list_fullwidth = True
    list_filter_sheet = True
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    paginator = BoundedPaginator
    empty_value_display = "—"
    actions: Sequence[Any] = ()
    change_form_after_template = "kernel/sections.html"
    search_by: Sequence[Condition] = ()
    is_short = False  # so few rows, whatever the bank's size, that any column may sort them
    sections: Sequence[MakeSection] = ()
    heading: Sequence[
        str
    ] = ()  # columns that name a row at the top of its page, if its text is bare keys
    when_empty: Any = _("有新记录时会显示在这里。")  # what to do next where there is nothing yet
    finance_sees = True  # False: the bank's own work under way

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedChangeList]:
        """The list's class."""
        return BoundedChangeList

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Any member of staff with a role; the database decides which rows."""
        return staff(request) is not None and (self.finance_sees or not sees_as_finance(request))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """As for viewing."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: see the module's first line."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: see the module's first line."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: see the module's first line."""
        return False

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[Any]:
        """The page's fields: those named, or every column."""
        return self.fields or self.shown_columns()

    def shown_columns(self) -> list[str]:
        """Every column of the table but its row number."""
        return [f.name for f in self.opts.concrete_fields if not f.primary_key]

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        """What waits for somebody comes first, where such work is known of this table."""
        chosen: Sequence[Any] = super().get_list_filter(request)
        return [WaitingFilter, *chosen] if of_model(self.opts.label_lower) else chosen

    def get_sortable_by(self, request: HttpRequest) -> Sequence[Any]:
        """Columns that an index sorts; every column of a short list."""
        if self.is_short or self.sortable_by is not None:
            return super().get_sortable_by(request)  # type: ignore[no-any-return]
        indexed = self._indexed()
        return [one for one in self.get_list_display(request) if self._sorts_by(one) in indexed]

    def _sorts_by(self, column: Any) -> str:
        """The field a column of the list is sorted by; empty if none."""
        shown = getattr(self, column, None) if isinstance(column, str) else column
        return str(getattr(shown, "admin_order_field", None) or column)

    def _indexed(self) -> set[str]:
        """Names of fields that stand first in an index of the whole table, as `order_by` takes them."""
        fields = self.opts.concrete_fields
        alone = [f.name for f in fields if f.primary_key or f.unique or f.db_index]
        unique = [one for one in self.opts.constraints if isinstance(one, UniqueConstraint)]
        together = [one.fields for one in (*self.opts.indexes, *unique) if not one.condition]
        found = {"pk"}
        for name in (*alone, *(names[0].removeprefix("-") for names in together if names)):
            field: Any = self.opts.get_field(name)
            found.add(field.attname)
            # the name of a relation sorts by the other table's order, where it has one
            if not field.is_relation or not field.related_model._meta.ordering:  # noqa: SLF001
                found.add(name)
        return found

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        """Show the search box where there is something to search by."""
        return ("pk",) if self.search_by else ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Rows that any of the conditions finds."""
        term = search_term.strip()[:TERM_MAX]
        if not term or not self.search_by:
            return queryset, False
        if not is_storable(term):
            return queryset.none(), False
        found = Q(pk__in=[])
        for condition in self.search_by:
            found |= condition(term)
        return queryset.filter(found), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """No regular expressions, substrings or other open questions by hand-made addresses."""
        _field, *rest = lookup.split(LOOKUP_SEP)
        if rest and rest[-1] not in LOOKUPS:
            return False
        return bool(super().lookup_allowed(lookup, value, request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; a question that cannot be read or answered leads back to the whole list."""
        if not all(is_storable(text) for pair in _pairs(request) for text in pair):
            return self._whole_list(request, gettext("筛选条件含有无法识别的字符"))
        asked = request.GET or request.POST
        try:
            with transaction.atomic():
                response: HttpResponse = super().changelist_view(request, extra_context)
                buttons = self.list_buttons(request)
                listed = getattr(response, "context_data", None) or {}
                if "cl" in listed:
                    listed["cl"].empty_buttons = buttons
                return _with(response, "actions_list", buttons)
        except OperationalError:
            # statement_timeout: the list itself may be what takes too long
            messages.error(request, gettext("查询超时，请缩小范围后再试"))
            return HttpResponseRedirect(reverse("admin:index"))
        except UNREADABLE:
            if not asked:
                raise
            return self._whole_list(request, gettext("筛选条件无效，已显示全部"))

    def _whole_list(self, request: HttpRequest, message: str) -> HttpResponse:
        messages.error(request, message)
        return HttpResponseRedirect(request.path)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page, with its sections."""
        context = {"show_history": self._has_history(), **(extra_context or {})}
        buttons: list[Button] = []
        if object_id is not None and request.method == "GET":
            row = self.row(request, object_id)
            if row is not None and self.has_view_permission(request, row):
                context["sections"] = self.sections_of(request, row)
                context["is_watched"] = self.is_under_way(row)
                buttons = self.row_buttons(request, row)
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        shown = getattr(response, "context_data", None) or {}
        if self.heading and shown.get("original") is not None:
            shown["original"] = Named(shown["original"], self.named(shown["original"]))
        return _with(response, "actions_detail", buttons)

    def sections_of(self, request: HttpRequest, row: Any) -> list[Section]:
        """The tables below the row's fields."""
        return [make(request, row) for make in self.sections]

    def named(self, row: Any) -> str:
        """What the top of the row's page calls it."""
        values = (display_for(self, name, row) for name in self.heading)
        return " · ".join(values) or str(row)

    def is_under_way(self, row: Any) -> bool:
        """Is somebody, such as a worker, still at it? Then the page looks again by itself."""
        return False

    def list_buttons(self, request: HttpRequest) -> list[Button]:
        """Steps offered at the top of the list."""
        return []

    def row_buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """Steps offered at the top of a row's page."""
        return []

    def row(self, request: HttpRequest, object_id: str) -> Model | None:
        """The row of an address, if this person sees it."""
        found: Model | None = self.get_object(request, unquote(object_id))
        return found

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Model | None:
        """The row, read once per request however many parts of the page ask for it."""
        kept = request.__dict__.setdefault("_kernel_rows", {})
        key = (self.opts.label_lower, object_id, from_field)
        if key not in kept:
            kept[key] = super().get_object(request, object_id, from_field)
        found: Model | None = kept[key]
        return found

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Former states of the row, where the table keeps them; else why there are none."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        address, row = self._history_address(), self.row(request, object_id)
        if address:
            return HttpResponseRedirect(f"{address}?pgh_obj_id={row.pk}" if row else address)
        if row is None or not self.has_view_permission(request, row):
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(
                request, self.opts, object_id
            )
            return missing
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": gettext("历史记录：%(row)s") % {"row": row},
            "why": self._why_no_history(),
            "home": reverse(
                f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk]
            ),
        }
        return render(request, "kernel/no_history.html", context)

    def _has_history(self) -> bool:
        """Is there something to say about the row's history?"""
        return bool(self._history_address() or self._why_no_history())

    def _why_no_history(self) -> Any:
        """Why this table keeps no former states: its app says (see `apps.py`); empty if it does not."""
        app, name = self.opts.app_config, self.opts.object_name
        if name in getattr(app, "append_only", ()):
            return _(
                "此表只增不改：数据库拒绝任何修改和删除，更正一律另记一行，因此记录本身就是历史。"
            )
        return getattr(app, "untracked", {}).get(name, "")

    def _history_address(self) -> str:
        """Where former states of this table's rows are listed; empty if it keeps none."""
        try:
            return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}event_changelist")
        except NoReverseMatch:
            return ""


def _with(response: HttpResponse, place: str, buttons: list[Button]) -> HttpResponse:
    """The page, before it is rendered, with these buttons."""
    context = getattr(response, "context_data", None)
    if context is not None and buttons:
        context[place] = [*context.get(place, []), *(button.shown() for button in buttons)]
    return response


def _pairs(request: HttpRequest) -> list[tuple[str, str]]:
    """Names and values of the question, in the address and in the form."""
    sent = [*request.GET.lists(), *request.POST.lists()]
    return [(name, value) for name, values in sent for value in values]
