"""Papers of notes and institutions: what is there, who brought it, and the file itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.filters import LevelFilter, YesNoFilter, month_of
from config.kernel.admin.searching import exact, number, prefix
from config.kernel.admin.sections import Button
from loans.admin.base import FactAdmin, scheme_name
from loans.admin.downloads import handed_out
from loans.admin.lookups import of_note
from loans.admin.notes import NOTE_BUTTONS
from loans.admin.paper_forms import AttachToInstitution, AttachToNote, Withdraw, own_scope
from loans.admin.steps import StepsAdmin
from loans.models import Note, Paper, PaperKind, PaperShelf, PaperWithdrawal
from loans.selectors.kept_files import opened_file
from loans.values.papers import PAPER_TYPES, bare_name, kinds_of


def paper_kind_name(code: str) -> str:
    """What a kind of paper is called, in the reader's language."""
    return str(PaperKind(code).label) if code in PaperKind.values else code


def file_address(paper_id: int) -> str:
    """Where a paper's file is handed out."""
    return reverse("admin:loans_paper_file", args=[paper_id])


def attach(request: HttpRequest, note: Note) -> list[Button]:
    """Add a paper, for whoever may."""
    if not AttachToNote.may(request):
        return []
    address = f"{reverse('admin:loans_paper_attach')}?note={note.pk}"
    return [Button(AttachToNote.title, address, AttachToNote.icon)]


class WithdrawnFilter(YesNoFilter):
    """Withdrawn, or still counting."""

    title = _("已撤回")
    parameter_name = "withdrawn"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Papers with, or without, a withdrawal."""
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(withdrawal__isnull=self.value() == "no")


@admin.register(Paper)
class PaperAdmin(StepsAdmin, FactAdmin):
    """Papers, each institution's latest first; nothing of them is ever changed."""

    when_empty = _("还没有资料：在借据页登记，或用“papers”文件批量导入档案号和摘要。")
    list_display: Sequence[Any] = (
        "number", "kind", "note", "institution_name", "scheme_words", "archive_number", "file_link",
        "dated_on", "made_by", "made_at", "withdrawn",
    )  # fmt: skip
    list_filter = ("kind", WithdrawnFilter, LevelFilter)
    list_select_related = ("note", "institution", "withdrawal")
    ordering = ("institution_id", "-pk")
    sortable_by = ()
    search_by = (of_note(), prefix("archive_number"), exact("sha256"), number("pk"))
    search_help_text = _("借据号或档案号的开头、文件摘要、资料号")
    fields = (
        "kind", "note", "institution_name", "scheme_words", "archive_number", "dated_on", "file_link",
        "size_count", "sha256", "made_by", "made_at", "batch_link", "withdrawn",
    )  # fmt: skip
    list_steps = {"attach": AttachToNote, "attach_institution": AttachToInstitution}
    row_steps = {"withdraw": Withdraw}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With whose they are and whether they were withdrawn.

        The list says its scope itself, which an index answers in order: what is seen of institutions
        above, on the note's page, would otherwise make the database go through every bank's papers.
        """
        rows: QuerySet[Any] = super().get_queryset(request)
        found = rows.select_related("note", "institution", "withdrawal")
        match = request.resolver_match
        if match is None or match.url_name != "loans_paper_changelist":
            return found
        lo, hi = own_scope(request)
        return found.filter(institution__gte=lo, institution__lte=hi)

    def get_urls(self) -> list[Any]:
        """Files have addresses of their own."""
        view = self.admin_site.admin_view(self.file_view)
        return [
            path("<path:object_id>/file/", view, name="loans_paper_file"),
            *super().get_urls(),
        ]

    def file_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The file of a paper in this person's scope, to be saved."""
        paper: Any = self.row(request, object_id)
        if paper is None or not paper.size_bytes or not self.has_view_permission(request, paper):
            raise Http404
        ending = paper.file_name.rpartition(".")[2].lower()
        kind = {"jpeg": "jpg", "tiff": "tif"}.get(ending, ending)
        return handed_out(
            request,
            name=bare_name(paper.file_name),
            opened=lambda: opened_file(sha256=paper.sha256, name=paper.file_name),
            home=reverse("admin:loans_paper_change", args=[paper.pk]),
            content_type=PAPER_TYPES.get(kind, "application/octet-stream"),
        )

    @display(description=_("资料号"), ordering="pk")
    def number(self, row: Paper) -> str:
        """The paper's number."""
        return f"#{row.pk}"

    @display(description=_("贴息政策"))
    def scheme_words(self, row: Paper) -> str:
        """Which scheme an institution gave it for."""
        return scheme_name(row.scheme_code) if row.scheme_code else gettext("全部政策")

    @display(description=_("文件"))
    def file_link(self, row: Paper) -> Any:
        """The file, to be saved; nothing where it lies in the archive."""
        if not row.size_bytes:
            return None
        return format_html(
            '<a href="{}" class="text-link">{}</a>', file_address(row.pk), row.file_name
        )

    @display(description=_("字节数"))
    def size_count(self, row: Paper) -> str | None:
        """How long the file is."""
        return f"{row.size_bytes:,}" if row.size_bytes else None

    @display(description=_("撤回"))
    def withdrawn(self, row: Paper) -> str | None:
        """Who withdrew it and why."""
        done = getattr(row, "withdrawal", None)
        return None if done is None else f"{done.made_by}：{done.why}"


@admin.register(PaperWithdrawal)
class PaperWithdrawalAdmin(FactAdmin):
    """Which papers count no more, and why."""

    when_empty = _("没有撤回的资料：登记有误的资料在其页面撤回并说明理由，不删除。")
    list_display = ("paper", "note", "institution_name", "why", "made_by", "made_at")
    list_filter = (LevelFilter, month_of("made_at"))
    list_select_related = ("paper", "note", "institution")
    sortable_by = ()
    search_by = (of_note(), number("paper_id"))
    search_help_text = _("借据号的开头，或资料号")


@admin.register(PaperShelf)
class PaperShelfAdmin(FactAdmin):
    """Which kinds of papers each note has."""

    when_empty = _("还没有登记过资料的借据：在借据页登记资料后，在此汇总。")
    list_display: Sequence[Any] = ("note", "institution_name", "held_words")
    fields = list_display
    list_filter = (LevelFilter,)
    list_select_related = ("note", "institution")
    sortable_by = ()
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")

    @display(description=_("已有资料"))
    def held_words(self, row: PaperShelf) -> str | None:
        """The kinds, in words."""
        return gettext("、").join(paper_kind_name(kind) for kind in kinds_of(row.held)) or None


NOTE_BUTTONS.append(attach)
