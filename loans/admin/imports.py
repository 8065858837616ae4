"""Files on their way in: uploaded, looked at, confirmed; how far they are and what came of them."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet, Subquery, Sum
from django.db.models.expressions import OuterRef
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from import_export.admin import ImportMixin
from import_export.results import Result

from config.kernel.admin.filters import month_of
from config.kernel.admin.searching import exact, number, prefix
from config.kernel.admin.sections import Section, link, numbers, texts
from config.kernel.admin.waiting import WAITING, having
from config.kernel.models import Chunk
from loans.admin.base import FactAdmin, own_language, yuan
from loans.admin.downloads import handed_out
from loans.admin.files import column_name
from loans.admin.import_forms import (
    ConfirmCodes,
    Drop,
    LookAgain,
    UploadFile,
    kind_name,
    may_import,
    ring,
)
from loans.admin.steps import StepsAdmin
from loans.files.kinds import KINDS
from loans.models import FileImport
from loans.resources import IntakeResource
from loans.selectors.kept_files import opened_file
from loans.services.controls import control_column
from loans.values.errors import DomainError

State = FileImport.State
UNDER_WAY = (State.CHECKING, State.IMPORTING)
LISTS = {"problems": _("错误清单"), "differences": _("差异清单"), "file": _("上传的文件")}


def problems(request: HttpRequest, row: FileImport) -> Section:
    """What is wrong with the file, the first of it."""
    return Section(
        title=_("错误"),
        columns=[*numbers(_("行")), *texts(_("列"), _("值"), _("说明与处理"))],
        rows=[
            (line, column_name(column, header), value, own_language(message))
            for line, column, header, value, message, *_code in row.shown_problems
        ],
        more=_list_address(row, "problems"),
    )


def differences(request: HttpRequest, row: FileImport) -> Section:
    """What would change field by field, the first of it."""
    return Section(
        title=_("更正的差异"),
        columns=[*numbers(_("行")), *texts(_("键"), _("列"), _("原值"), _("新值"))],
        rows=[
            (line, key, column_name(column, header), before, after)
            for line, key, column, header, before, after in row.shown_differences
        ],
        more=_list_address(row, "differences"),
    )


def _list_address(row: FileImport, name: str) -> str:
    """Where the whole list is; empty where there is none."""
    if not _stored(row, name):
        return ""
    return reverse("admin:loans_fileimport_list", args=[row.pk, name])


def _stored(row: FileImport, name: str) -> str:
    return row.sha256 if name == "file" else str(getattr(row, f"{name}_sha256"))


@admin.register(FileImport)
class FileImportAdmin(ImportMixin, FactAdmin, StepsAdmin):  # type: ignore[misc]
    """One's institution's files, latest first. The addresses are django-import-export's own."""

    resource_classes = (IntakeResource,)
    skip_admin_log = True  # the row itself says who took what in, and when
    import_export_change_list_template = None
    change_form_outer_before_template = "loans/import_preview.html"
    when_empty = _("没有导入文件：点“导入文件”上传，检查无误后确认导入。")
    finance_sees = False
    list_display = (
        "made_at", "kind_words", "file_name", "state", "row_count", "inserted_count",
        "corrected_count", "unchanged_count", "refused_count", "made_by", "institution_name",
    )  # fmt: skip
    list_filter = ("state", month_of("made_at"))
    list_select_related = ("institution",)
    search_by = (prefix("file_name"), exact("sha256"), exact("made_by"), number("pk"))
    search_help_text = _("文件名的开头、文件摘要、上传人、编号")
    fields = (
        "kind_words", "file_name", "uploaded", "sha256", "made_by", "made_at", "institution",
        "confirmed_at", "finished_at", "batch_row",
    )  # fmt: skip
    list_steps = {"import": UploadFile}
    row_steps = {"again": LookAgain, "codes": ConfirmCodes, "drop": Drop}

    def has_import_permission(self, request: HttpRequest) -> bool:
        """django-import-export asks here: makers with institutions of their own."""
        return may_import(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Files with how many rows a worker has read so far."""
        rows: QuerySet[Any] = super().get_queryset(request)
        read = (
            Chunk.objects.filter(run=OuterRef("run"))
            .values("run")
            .annotate(read=Sum("rows_done"))
            .values("read")
        )
        annotated: QuerySet[Any] = rows.annotate(rows_read=Subquery(read))
        return annotated

    def get_urls(self) -> list[Any]:
        """Lists and files have addresses of their own."""
        view = self.admin_site.admin_view(self.list_view)
        address = path("<path:object_id>/list/<slug:name>/", view, name="loans_fileimport_list")
        return [address, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The preview."""
        row: Any = self.row(request, object_id) if object_id else None
        context: dict[str, Any] = {}
        if row is not None:
            is_own = row.made_by == request.user.get_username() and may_import(request)
            context = {
                **preview(row),
                "import_sections": [
                    make(request, row)
                    for make, shown in (
                        (problems, row.shown_problems),
                        (differences, row.shown_differences),
                    )
                    if shown
                ],
                "import_row": row,
                "import_confirms": is_own and row.state == State.READY,
            }
        response: HttpResponse = super().changeform_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )
        return response

    def is_under_way(self, row: Any) -> bool:
        """While a worker has the file."""
        return row.state in UNDER_WAY

    def list_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponseBase:
        """A list, or the file itself, to take away."""
        row: Any = self.row(request, object_id)
        if row is None or name not in LISTS or not self.has_view_permission(request, row):
            raise Http404
        if not _stored(row, name):
            raise Http404
        title = row.file_name if name == "file" else f"import-{row.pk}-{name}.csv"
        home = reverse("admin:loans_fileimport_change", args=[row.pk])
        opened = partial(opened_file, sha256=_stored(row, name), name=title)
        return handed_out(request, name=title, opened=opened, home=home)

    def import_action(self, request: HttpRequest, **_hints: Any) -> HttpResponse:
        """django-import-export's first page: the upload."""
        return self.step_view(request, "import")

    @method_decorator(require_POST)
    def process_import(self, request: HttpRequest, **_hints: Any) -> HttpResponse:
        """django-import-export's last page: what was confirmed is taken in, once."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        row: Any = self.row(request, request.POST.get("import", "0"))
        if row is None:
            raise Http404
        try:
            with transaction.atomic():
                result = IntakeResource().import_data(
                    row,
                    fingerprint=request.POST.get("fingerprint", ""),
                    actor=request.user.get_username(),
                    at=timezone.localtime(),
                )
        except DomainError as refusal:
            self.message_user(request, own_language(refusal.message), messages.ERROR)
        else:
            row.refresh_from_db()
            ring(row.run_id if row.state in UNDER_WAY else None)
            self._tell(request, row, result)
        return HttpResponseRedirect(reverse("admin:loans_fileimport_change", args=[row.pk]))

    def _tell(self, request: HttpRequest, row: FileImport, result: Result) -> None:
        for error in result.base_errors:
            self.message_user(request, own_language(str(error.error)), messages.WARNING)
        if row.state == State.DONE:
            told = gettext("已导入：新增 %(new)s 行，更正 %(changed)s 行，未变 %(same)s 行") % {
                "new": f"{result.totals['new']:,}",
                "changed": f"{result.totals['update']:,}",
                "same": f"{result.totals['skip']:,}",
            }
            self.message_user(request, told, messages.SUCCESS)
        elif row.state == State.IMPORTING:
            self.message_user(request, gettext("正由后台导入，本页自动刷新"), messages.SUCCESS)

    @display(description=_("数据类别"), ordering="kind")
    def kind_words(self, row: FileImport) -> str:
        """What the file holds, as far as it is known."""
        return kind_name(row.kind) if row.kind else gettext("按表头识别")

    @display(description=_("导入批次"))
    def batch_row(self, row: FileImport) -> Any:
        """What came of it."""
        if row.batch_id is None:
            return gettext("没有变化，无批次") if row.state == State.DONE else None
        return link("loans_importbatch", row.batch_id, f"#{row.batch_id}")

    @display(description=_("上传的文件"))
    def uploaded(self, row: FileImport) -> Any:
        """The very bytes."""
        address, size = _list_address(row, "file"), f"{row.size:,}"
        text = gettext("下载（%(size)s 字节）") % {"size": size}
        return format_html('<a href="{}" class="text-link">{}</a>', address, text)

    @display(description=_("行数"))
    def row_count(self, row: FileImport) -> Any:
        """Rows of the file."""
        return _count(row.rows)

    @display(description=_("新增"))
    def inserted_count(self, row: FileImport) -> Any:
        """Rows that are new."""
        return _count(row.inserted)

    @display(description=_("更正"))
    def corrected_count(self, row: FileImport) -> Any:
        """Rows that change what is stored."""
        return _count(row.corrected)

    @display(description=_("未变"))
    def unchanged_count(self, row: FileImport) -> Any:
        """Rows that are stored already."""
        return _count(row.unchanged)

    @display(description=_("有错"))
    def refused_count(self, row: FileImport) -> Any:
        """Rows with something wrong."""
        return _count(row.refused)


WHAT_NOW = {
    State.CHECKING: _("文件较大或涉及范围较广，正由后台检查，本页自动刷新"),
    State.READY: _("检查完成，尚未保存任何数据；请核对后确认导入"),
    State.REFUSED: _("文件有错误，未保存任何数据；请按下面的清单改正后重新上传"),
    State.IMPORTING: _("正由后台导入，本页自动刷新"),
    State.FAILED: _("后台处理失败，未保存任何数据；可重新检查"),
}


def _count(number_of: int | None) -> str | None:
    return None if number_of is None else f"{number_of:,}"


def preview(row: FileImport) -> dict[str, Any]:
    """What stands above the page: counts or how far it is, control totals, and what has to be said."""
    name = control_column(row.kind) if row.kind else None
    header = column_name(name, KINDS[row.kind].column(name).header_zh) if name else ""
    counts = (
        (_("新增"), row.inserted), (_("更正"), row.corrected), (_("未变"), row.unchanged),
        (_("有错"), row.refused),
    )  # fmt: skip
    totals: list[tuple[Any, ...]] = [(_("行数"), _count(row.control_rows), _count(row.rows))]
    if name or row.control_fen is not None:
        title = gettext("%(name)s合计（元）") % {"name": header}
        totals.append((title, yuan(row.control_fen), yuan(row.total_fen)))
    return {
        "import_counts": [] if row.state in UNDER_WAY else [(t, _count(n)) for t, n in counts],
        "import_progress": _progress(row) if row.state in UNDER_WAY else "",
        "import_totals": totals,
        "import_what_now": WHAT_NOW.get(State(row.state), ""),
        "import_told": [own_language(line) for line in row.told.splitlines()],
    }


def _progress(row: Any) -> str:
    if not row.rows_read:
        return gettext("等待后台处理")
    return gettext("已读取 %(rows)s 行，正在与已存数据核对") % {"rows": f"{row.rows_read:,}"}


WAITING.extend(
    [
        having("ready", "loans.fileimport", _("已检查、待确认的导入文件"), state=State.READY),
        having("wrong", "loans.fileimport", _("有错误的导入文件"), state=State.REFUSED),
        having("failed", "loans.fileimport", _("导入失败的文件"), state=State.FAILED),
    ]
)
