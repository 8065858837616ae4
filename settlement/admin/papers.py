"""缺资料借据: notes that are subsidised and lack papers their schemes ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter, display
from django.core.paginator import Page
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import may_make, staff
from config.kernel.admin.filters import LevelFilter
from config.kernel.admin.paging import COUNT_MAX, BoundedChangeList, BoundedPaginator
from config.kernel.admin.sections import link
from loans.admin.base import FactAdmin, SchemeFilter, scheme_name
from loans.admin.lookups import of_note
from loans.admin.notes import NOTE_SECTIONS
from loans.admin.papers import paper_kind_name
from loans.values.papers import PAPER_KINDS, kind_bit, kinds_of
from settlement.admin.paper_sections import (
    attach_address,
    kinds_in_words,
    note_papers,
    source,
    what_to_do,
)
from settlement.models import PaperGap, PaperRule
from settlement.selectors import papers

LETTERS_SHOWN = 3


class MissingFilter(SimpleListFilter):
    """By the kind of paper that is missing."""

    title = _("缺少的资料")
    parameter_name = "missing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """What the schemes in force ask notes for."""
        kinds = dict.fromkeys(rule.kind for rule in papers.asked() if rule.per == "note")
        return [(kind, paper_kind_name(kind)) for kind in kinds]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Notes that are asked for it and lack it."""
        kind = self.value()
        if not kind:
            return queryset
        if kind not in PAPER_KINDS:
            return queryset.none()
        bit: Any = F("lacking").bitand(kind_bit(kind))
        asked: QuerySet[Any] = queryset.alias(asked=bit).filter(asked__gt=0)
        return asked


@admin.register(PaperRule)
class PaperRuleAdmin(FactAdmin):
    """Papers asked for, by each text of each scheme."""

    when_empty = _("还没有资料要求：由系统管理员用 load_schemes 载入带资料要求的政策。")
    list_display: Sequence[Any] = (
        "version_words", "kind", "per", "with_equipment", "blocks", "say_words", "source_words",
    )  # fmt: skip
    list_filter = ("version__scheme", "kind")
    list_select_related = ("version__scheme",)
    heading = ("version_words", "kind")
    ordering = ("version_id", "position")
    sortable_by = ()

    @display(description=_("政策版本"))
    def version_words(self, row: PaperRule) -> str:
        """The scheme's name and which text of it."""
        return f"{scheme_name(row.version.scheme.code)} v{row.version.version}"

    def shown_columns(self) -> list[str]:
        """The text in words."""
        return ["version_words" if name == "version" else name for name in super().shown_columns()]

    @display(description=_("要求"))
    def say_words(self, row: PaperRule) -> str:
        """What is to be handed in."""
        return what_to_do(row)

    @display(description=_("条款"))
    def source_words(self, row: PaperRule) -> str:
        """The article that asks for it."""
        return source(row)


class KeysOnce(BoundedPaginator):
    """Reads the keys once, in order, for the count and for every page.

    The list is worked out as it is asked for: each look at it is a pass over all labels.
    """

    @cached_property
    def keys(self) -> list[int]:
        """Keys of the first `COUNT_MAX` rows."""
        rows: Any = self.object_list
        return list(rows.values_list("pk", flat=True)[:COUNT_MAX])

    @cached_property
    def count(self) -> int:
        """How many rows are there, at most `COUNT_MAX`?"""
        return len(self.keys)

    def page(self, number: Any) -> Any:
        """The rows of one page, by their keys."""
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        rows: Any = self.object_list
        shown = rows.filter(pk__in=self.keys[start : start + self.per_page])
        return Page(shown, number, self)


class GapList(BoundedChangeList):
    """Reads a single page by its keys too."""

    def get_results(self, request: HttpRequest) -> None:
        """The rows shown."""
        super().get_results(request)
        if not self.multi_page:
            self.result_list = self.paginator.page(1).object_list


@admin.register(PaperGap)
class PaperGapAdmin(FactAdmin):
    """Notes without all their papers, by scheme; each leads to where they are added."""

    when_empty = _("没有缺少的资料：各笔借据按政策要求的资料均已登记。")
    list_display: Sequence[Any] = (
        "note_link", "institution_name", "scheme_label", "add", "missing_words", "held_words",
    )  # fmt: skip
    list_display_links = None
    paginator = KeysOnce
    fields = ("note_link", "institution_name", "scheme_label", "missing_words", "held_words")
    list_filter = (SchemeFilter, MissingFilter, LevelFilter)
    list_select_related = ("note", "institution")
    ordering = ("pk",)
    sortable_by = ()
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[GapList]:
        """The list's class."""
        return GapList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; what the bank itself has not given is said above it."""
        user = staff(request)
        scope = user.scope if user else None
        gaps = papers.institution_gaps(scope=(scope.lo, scope.hi)) if scope else []
        for gap in gaps[:LETTERS_SHOWN]:
            told = gettext("%(place)s缺少%(paper)s：%(scheme)s") % {
                "place": gap.institution_name,
                "paper": paper_kind_name(gap.kind),
                "scheme": scheme_name(gap.scheme_code),
            }
            messages.warning(request, told)
        return super().changelist_view(request, extra_context)

    @display(description=_("借据"))
    def note_link(self, row: PaperGap) -> Any:
        """The note, whose page says what to do."""
        return link("loans_note", row.note_id, row.note)

    @display(description=_("缺少的资料"))
    def missing_words(self, row: PaperGap) -> Any:
        """What is not there."""
        return _wrapped(kinds_in_words(row.missing))

    @display(description=_("已有资料"))
    def held_words(self, row: PaperGap) -> Any:
        """What is there."""
        return _wrapped(kinds_in_words(kinds_of(row.held)) or self.empty_value_display)

    @display(description=_("办理"))
    def add(self, row: PaperGap) -> Any:
        """Add a missing paper."""
        address = f"{attach_address(row.note_id)}{row.missing[0]}"
        return format_html('<a href="{}" class="text-link">{}</a>', address, _("添加资料"))

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        """The way to add papers for those who may."""
        shown = self.list_display
        return shown if may_make(request) else [name for name in shown if name != "add"]


def _wrapped(text: str) -> Any:
    """A long text that does not push the rest of the list out of sight."""
    return format_html('<div class="kernel-wrap">{}</div>', text)


NOTE_SECTIONS.append(note_papers)
