"""Runs and their chunks."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import sees_everything
from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.searching import exact, number
from config.kernel.admin.sections import SECTION_ROWS, Section, link, list_address, texts
from config.kernel.admin.waiting import WAITING, Waiting
from config.kernel.models import Chunk, Run

LATELY = timedelta(days=30)
KINDS = {
    "deductions": _("代付贴息计算"),
    "assess": _("贴息认定"),
    "import": _("导入"),
    "report": _("报表"),
    "export": _("导出"),
    "plan": _("编制计划"),
    "results": _("收息结果入账"),
    "trial": _("重算试算"),
    "post": _("重算入账"),
    "missed-labels": _("查找应享未享"),
}


def chunks(request: HttpRequest, run: Run) -> Section:
    """The run's chunks, for those who see everything."""
    own = list(run.chunks.order_by("ordinal")[:SECTION_ROWS]) if sees_everything(request) else []
    return Section(
        title=_("任务分段"),
        columns=texts(_("序号"), _("状态"), _("尝试次数"), _("统计"), _("错误")),
        rows=[
            (
                link("kernel_chunk", chunk.pk, chunk.ordinal),
                chunk.get_state_display(),
                chunk.attempts,
                readable(chunk.stats),
                chunk.error[:200],
            )
            for chunk in own
        ],
        more=list_address("kernel_chunk", run__id__exact=run.pk) if own else "",
    )


def readable(value: Any) -> Any:
    """JSON as people read it."""
    if value is None:
        return None
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    return format_html('<pre class="kernel-text">{}</pre>', text)


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Runs; what they did to all institutions is told only to those who see all of them."""

    when_empty = _("没有后台任务；导入、计算、报表和导出开始后可在此看进度。")
    list_display = ("number_of_run", "kind_words", "state", "actor", "created_at", "finished_at")
    list_filter = ("state", "kind")
    finance_sees = False
    search_by = (number("pk"), exact("actor"))
    search_help_text = _("任务序号或发起人")
    sections = (chunks,)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Parameters and counts speak of every institution."""
        private = ["params_text", "stats_text"] if sees_everything(request) else []
        return [*self.list_display, *private]

    @display(description=_("序号"), ordering="pk")
    def number_of_run(self, obj: Run) -> str:
        """The run's number, as postings name it."""
        return f"#{obj.pk}"

    @display(description=_("任务类型"))
    def kind_words(self, obj: Run) -> Any:
        """What kind of work it was."""
        return KINDS.get(obj.kind, obj.kind)

    @display(description=_("参数"))
    def params_text(self, obj: Run) -> Any:
        """What was asked."""
        return readable(obj.params)

    @display(description=_("统计"))
    def stats_text(self, obj: Run) -> Any:
        """What came of it."""
        return readable(obj.stats)


@admin.register(Chunk)
class ChunkAdmin(ReadOnlyAdmin):
    """Chunks, for those who see everything."""

    when_empty = _("没有任务分段；后台任务开始后，各段的进度在此显示。")
    list_display = ("run", "ordinal", "state", "attempts", "lease_owner", "lease_until")
    list_filter = ("state",)
    list_select_related = ("run",)
    search_by = (number("run_id"),)
    search_help_text = _("任务序号")
    fields = (
        "run", "ordinal", "state", "attempts", "payload_text", "stats_text", "lease_owner",
        "lease_until", "error",
    )  # fmt: skip

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A chunk speaks of every institution."""
        return sees_everything(request)

    @display(description=_("内容"))
    def payload_text(self, obj: Chunk) -> Any:
        """What the chunk is to do."""
        return readable(obj.payload)

    @display(description=_("统计"))
    def stats_text(self, obj: Chunk) -> Any:
        """What came of it."""
        return readable(obj.stats)


def failed_lately(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Work that failed within `LATELY` and should be ordered again, or looked into."""
    return rows.filter(state=Run.State.FAILED, created_at__gte=timezone.localtime() - LATELY)


WAITING.append(Waiting("failed", "kernel.run", _("失败的任务（近 30 天）"), failed_lately))
