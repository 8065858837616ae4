"""Accepted files."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter, display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.filters import month_of
from config.kernel.admin.searching import exact, number, prefix
from config.kernel.admin.sections import Button, Section, link, texts
from loans.admin.base import FactAdmin
from loans.admin.import_forms import AskUndo, UploadFile, kind_name, may_import
from loans.admin.steps import StepsAdmin
from loans.files.kinds import KINDS
from loans.models import ImportBatch


def undos(request: HttpRequest, batch: ImportBatch) -> Section:
    """Who asked for the file to be taken back, and what became of it."""
    return Section(
        title=_("撤销申请"),
        columns=texts(_("申请"), _("原因"), _("经办"), _("状态"), _("复核"), _("复核意见")),
        rows=[
            (
                link("loans_importundo", undo.pk, f"#{undo.pk}"),
                undo.reason,
                undo.made_by,
                undo.get_state_display(),
                undo.checked_by or "",
                undo.answer,
            )
            for undo in batch.undos.order_by("pk")
        ],
    )


class KindFilter(SimpleListFilter):
    """By kind of file."""

    title = _("数据类别")
    parameter_name = "kind_of_file"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Every kind there is."""
        return [(key, kind_name(key)) for key in KINDS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Files of that kind."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(ImportBatch)
class ImportBatchAdmin(FactAdmin, StepsAdmin):
    """Accepted files, latest first; what commands imported for all institutions is the administrators'."""

    when_empty = _("还没有导入过文件：经办按机构、企业、合同、借据、收息的顺序导入，即可开始。")
    list_display = (
        "at", "kind_words", "file_name", "row_count", "inserted_count", "corrected_count",
        "unchanged_count", "actor", "institution_name",
    )  # fmt: skip
    list_filter = (KindFilter, month_of("at"))
    finance_sees = False
    list_select_related = ("institution",)
    search_by = (prefix("file_name"), exact("sha256"), exact("actor"), number("pk"))
    search_help_text = _("文件名的开头、文件摘要、导入人、批次号")
    fields = (
        "kind_words", "file_name", "sha256", "row_count", "inserted_count", "corrected_count",
        "unchanged_count", "actor", "at", "institution",
    )  # fmt: skip
    row_steps = {"undo": AskUndo}
    sections = (undos,)

    def list_buttons(self, request: HttpRequest) -> list[Button]:
        """The way to the upload."""
        if not may_import(request):
            return []
        address = reverse("admin:loans_fileimport_import")
        return [Button(UploadFile.title, address, UploadFile.icon)]

    @display(description=_("数据类别"), ordering="kind")
    def kind_words(self, row: ImportBatch) -> str:
        """What the file held."""
        return kind_name(row.kind)

    @display(description=_("行数"))
    def row_count(self, row: ImportBatch) -> str:
        """Rows of the file."""
        return f"{row.rows:,}"

    @display(description=_("新增"))
    def inserted_count(self, row: ImportBatch) -> str:
        """Rows that were new."""
        return f"{row.inserted:,}"

    @display(description=_("更正"))
    def corrected_count(self, row: ImportBatch) -> str:
        """Rows that changed what was stored."""
        return f"{row.corrected:,}"

    @display(description=_("未变"))
    def unchanged_count(self, row: ImportBatch) -> str:
        """Rows that were stored already."""
        return f"{row.unchanged:,}"
