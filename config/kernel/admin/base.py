"""Pages that show: facts change through files, results through runs, money through steps of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.utils import unquote
from django.db import DataError, OperationalError, transaction
from django.db.models import Model, Q, QuerySet, UniqueConstraint
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext
from unfold.admin import ModelAdmin

from config.kernel.admin.access import staff
from config.kernel.admin.paging import BoundedChangeList, BoundedPaginator
from config.kernel.admin.searching import TERM_MAX, Condition, is_storable
from config.kernel.admin.sections import Button, MakeSection

LOOKUPS = {"exact", "in", "isnull", "gt", "gte", "lt", "lte", "id", "year", "month", "day"}
UNREADABLE = (DisallowedModelAdminLookup, DataError, ValueError, OverflowError)


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

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedChangeList]:
        """The list's class."""
        return BoundedChangeList

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Any member of staff with a role; the database decides which rows."""
        return staff(request) is not None

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
                return _with(response, "actions_list", self.list_buttons(request))
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
        context = {"show_history": bool(self._history_address()), **(extra_context or {})}
        buttons: list[Button] = []
        if object_id is not None and request.method == "GET":
            row = self.row(request, object_id)
            if row is not None and self.has_view_permission(request, row):
                context["sections"] = [make(request, row) for make in self.sections]
                buttons = self.row_buttons(request, row)
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return _with(response, "actions_detail", buttons)

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
        """Former states of the row, where the table keeps them."""
        address = self._history_address()
        if not address:
            response: HttpResponse = super().history_view(request, object_id, extra_context)
            return response
        row = self.row(request, object_id)
        return HttpResponseRedirect(f"{address}?pgh_obj_id={row.pk}" if row else address)

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
