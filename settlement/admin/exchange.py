"""Duplicates across banks: who asked what of other banks, and files that came from them. Read only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.outbox import Inspected
from config.kernel.admin.searching import exact, number
from config.kernel.admin.sections import Section, texts
from settlement.models import ExchangeFile, Probe


def answer(request: HttpRequest, probe: Probe) -> Section:
    """What it was told: which question, the scheme, and whom to ask."""
    kept = getattr(probe, "answer", None)
    return Section(
        title=_("应答"),
        columns=texts(_("第几条"), _("冲突政策"), _("应询问机构")),
        rows=[
            (str(one["question"]), one["scheme"], one["ask"])
            for one in (kept.conflicts if kept else [])
        ],
        empty=_("尚未取走应答，或没有冲突。"),
    )


@admin.register(Probe)
class ProbeAdmin(Inspected):
    """The log of probes: who, when, how many asked, how many hits."""

    when_empty = _("还没有跨行查询：接口客户端查询后，每一次都记录在此。")
    list_display = (
        "number_of_row", "at", "actor", "institution_name", "asked", "hits", "request_id",
    )  # fmt: skip
    list_select_related = ("institution", "answer")
    search_by = (number("pk"), exact("request_id"))
    search_help_text = _("序号或请求编号")
    fields = (
        "at", "actor", "institution_name", "key_id", "asked", "hits", "answered_at", "request_id",
    )  # fmt: skip
    heading = ("number_of_row", "actor")
    sections = (answer,)

    @display(description=_("序号"), ordering="pk")
    def number_of_row(self, obj: Probe) -> str:
        """Its number."""
        return f"#{obj.pk}"

    @display(description=_("机构"))
    def institution_name(self, obj: Probe) -> str:
        """Who asks."""
        return str(obj.institution)

    @display(description=_("命中条数"))
    def hits(self, obj: Probe) -> int | None:
        """Of the questions, how many conflict; nothing until it was answered."""
        kept = getattr(obj, "answer", None)
        return None if kept is None else kept.hits

    @display(description=_("应答时间"))
    def answered_at(self, obj: Probe) -> Any:
        """When it was."""
        kept = getattr(obj, "answer", None)
        return None if kept is None else kept.at


def problems(request: HttpRequest, file: ExchangeFile) -> Section:
    """Why it was refused: the first rows of it."""
    return Section(
        title=_("问题"),
        columns=texts(_("行"), _("字段"), _("内容"), _("说明")),
        rows=[
            (str(row), column or "—", value or "—", why)
            for row, column, value, why in file.problems
        ],
        empty=_("没有问题。"),
    )


@admin.register(ExchangeFile)
class ExchangeFileAdmin(Inspected):
    """Files of other banks: taken in, or refused whole with every reason."""

    when_empty = _("还没有交换文件：用 match_exchange 接收他行文件后，在此显示。")
    list_display = (
        "number_of_row", "at", "bank_code", "source", "outcome", "made_on", "rows", "problem_count",
        "actor",
    )  # fmt: skip
    list_filter = ("outcome",)
    search_by = (number("pk"), exact("sha256"))
    search_help_text = _("序号或内容摘要")
    fields = (
        "at", "bank_code", "key_id", "source", "outcome", "made_on", "rows", "problem_count",
        "actor", "sha256",
    )  # fmt: skip
    heading = ("number_of_row", "bank_code")
    sections = (problems,)

    @display(description=_("序号"), ordering="pk")
    def number_of_row(self, obj: ExchangeFile) -> str:
        """Its number."""
        return f"#{obj.pk}"
