"""Accepted files to be taken back: asked for, agreed to or not, and what became of it."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.searching import exact, number
from config.kernel.admin.sections import link
from config.kernel.admin.waiting import WAITING, unchecked
from loans.admin.base import FactAdmin, own_language
from loans.admin.downloads import handed_out
from loans.admin.import_forms import AgreeUndo, DeclineUndo, kind_name
from loans.admin.steps import StepsAdmin
from loans.models import ImportUndo
from loans.selectors.kept_files import opened_file


@admin.register(ImportUndo)
class ImportUndoAdmin(FactAdmin, StepsAdmin):
    """Requests of one's own scope, latest first."""

    when_empty = _("没有撤销申请：导入有误时，在“导入批次”中打开该批次申请撤销，由另一人复核。")
    finance_sees = False
    list_display = (
        "made_at", "batch_words", "row_count", "reason", "made_by", "state", "checked_by",
        "checked_at",
    )  # fmt: skip
    list_filter = ("state",)
    list_select_related = ("batch",)
    search_by = (number("pk"), number("batch_id"), exact("made_by"))
    search_help_text = _("申请编号、批次号或经办")
    fields = (
        "batch_row", "row_count", "reason", "made_by", "made_at", "state", "answer", "checked_by",
        "checked_at", "removed_list", "counter_row", "told_error",
    )  # fmt: skip
    row_steps = {"agree": AgreeUndo, "decline": DeclineUndo}

    def get_urls(self) -> list[Any]:
        """The removed rows have an address of their own."""
        view = self.admin_site.admin_view(self.rows_view)
        return [
            path("<path:object_id>/rows/", view, name="loans_importundo_rows"),
            *super().get_urls(),
        ]

    def is_under_way(self, row: Any) -> bool:
        """While a worker takes the rows back."""
        return bool(row.state == ImportUndo.State.WORKING)

    def rows_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """What was removed, to take away."""
        row: Any = self.row(request, object_id)
        if row is None or not row.removed_sha256 or not self.has_view_permission(request, row):
            raise Http404
        home = reverse("admin:loans_importundo_change", args=[row.pk])
        name = f"undo-{row.pk}-rows.csv"
        opened = partial(opened_file, sha256=row.removed_sha256, name=name)
        return handed_out(request, name=name, opened=opened, home=home)

    @display(description=_("导入批次"))
    def batch_words(self, row: ImportUndo) -> str:
        """Which file."""
        return f"#{row.batch_id} {kind_name(row.batch.kind)} {own_language(row.batch.file_name)}"

    @display(description=_("导入批次"))
    def batch_row(self, row: ImportUndo) -> Any:
        """Which file, as a link."""
        return link("loans_importbatch", row.batch_id, self.batch_words(row))

    @display(description=_("行数"))
    def row_count(self, row: ImportUndo) -> str:
        """Rows the file brought in."""
        return f"{row.batch.inserted:,}"

    @display(description=_("撤销的内容"))
    def removed_list(self, row: ImportUndo) -> Any:
        """The rows as they were."""
        if not row.removed_sha256:
            return None
        address = reverse("admin:loans_importundo_rows", args=[row.pk])
        text = gettext("下载（%(rows)s 行）") % {"rows": f"{row.removed:,}"}
        return format_html('<a href="{}" class="text-link">{}</a>', address, text)

    @display(description=_("撤销记录批次"))
    def counter_row(self, row: ImportUndo) -> Any:
        """The batch that says so."""
        return row.counter_id and link("loans_importbatch", row.counter_id, f"#{row.counter_id}")

    @display(description=_("未能撤销的原因"))
    def told_error(self, row: ImportUndo) -> str:
        """Why it could not be done."""
        return own_language(row.error)


WAITING.append(unchecked("undos", "loans.importundo", _("撤销导入"), state=ImportUndo.State.ASKED))
