"""Jobs that plan, post results and recompute: how far they are, and what came of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.searching import exact, number
from config.kernel.admin.sections import Section, link, texts
from config.kernel.admin.work import KINDS
from loans.admin.base import own_language
from settlement.models import MoneyJob, Plan
from settlement.models.recomputation import PLAN
from settlement.services.orders import done_of

COUNTS = {
    "plans": _("计划"),
    "originals": _("首次入账"),
    "differences": _("差额入账"),
    "held": _("待资金到位"),
    "blocked": _("因核查事项暂停"),
    "kept_back": _("借款人另有未入账的调减，待重算后入账"),
    "moved": _("试算后事实又有变化、未入账的企业"),
    "fees_waiting": _("待资金到位的担保费补贴"),
    "unseen": _("试算后才有变化、未入账的期初和担保费"),
    "proposed": _("提出追回"),
}


def outcome(request: HttpRequest, job: MoneyJob) -> Section:
    """What came of it, in numbers; of a planning job its plans."""
    rows: list[tuple[Any, Any]] = [
        (COUNTS[name], f"{count:,}")
        for name, count in (job.stats or {}).items()
        if name in COUNTS and count
    ]
    made = _plans(job) if job.kind == PLAN else []
    rows += [(_("计划"), link("settlement_plan", plan.pk, str(plan))) for plan in made]
    if job.kind != PLAN and "plan" in job.params:
        rows.append(
            (_("计划"), link("settlement_plan", job.params["plan"], f"#{job.params['plan']}"))
        )
    if "recomputation" in job.params:
        key = job.params["recomputation"]
        rows.append((_("重算入账"), link("settlement_recomputation", key, f"#{key}")))
    if job.state == MoneyJob.State.DONE and job.kind == PLAN and not made:
        rows.append((_("计划"), _("没有新的应收利息需要编制")))
    return Section(title=_("结果"), columns=texts(_("项目"), _("数量或链接")), rows=rows)


def _plans(job: MoneyJob) -> list[Plan]:
    """What it drafted: plans made at the moment of the order."""
    return list(Plan.objects.filter(made_by=job.actor, made_at=job.created_at).order_by("pk")[:100])


@admin.register(MoneyJob)
class MoneyJobAdmin(ReadOnlyAdmin):
    """Jobs of one's own scope, latest first; an open one's page renews itself."""

    when_empty = _("没有资金任务：编制计划、回传结果或重算时提交的任务在此显示进度。")
    finance_sees = False
    list_display = ("number_of_job", "kind_words", "state", "actor", "created_at", "finished_at")
    fields = (*list_display, "progress", "told_error")
    list_filter = ("state", "kind")
    sortable_by = ()
    ordering = ("-pk",)
    search_by = (number("pk"), exact("actor"))
    search_help_text = _("任务序号或发起人")
    sections = (outcome,)

    def is_under_way(self, row: Any) -> bool:
        """Until it is done or failed."""
        return bool(row.state == MoneyJob.State.OPEN)

    @display(description=_("序号"), ordering="pk")
    def number_of_job(self, row: MoneyJob) -> str:
        """The job's number."""
        return f"#{row.pk}"

    @display(description=_("任务类型"))
    def kind_words(self, row: MoneyJob) -> Any:
        """What kind of work it is."""
        return KINDS.get(row.kind, row.kind)

    @display(description=_("进度"))
    def progress(self, row: MoneyJob) -> Any:
        """Parts done of all; marked as open for the page to look again."""
        done, all_ = done_of(run_id=row.pk)
        told = f"{done}/{all_}" if all_ else row.get_state_display()
        if row.state != MoneyJob.State.OPEN:
            return told
        return format_html('<span role="status">{} · {}</span>', told, _("办理中，本页自动刷新"))

    @display(description=_("错误"))
    def told_error(self, row: MoneyJob) -> str:
        """Why it failed."""
        return own_language(row.error)
