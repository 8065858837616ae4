"""Posted deductions: originals and differences, with what was cut and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin import SimpleListFilter, display
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.filters import LevelFilter, YesNoFilter, month_of
from config.kernel.admin.sections import Button, Section, link, numbers, texts
from loans.admin.base import (
    CollectedMonthFilter,
    FactAdmin,
    in_yuan,
    scheme_name,
    yuan,
)
from loans.admin.lookups import of_collection, of_note
from loans.selectors.notes import note_card
from settlement.admin import explanation, wording
from settlement.engine.codes import CUT_REASONS, cut_bit
from settlement.models import Deduction, MonthlySubsidy, Scheme
from settlement.selectors.vouched import entries_of
from settlement.services.own_explanations import OwnWorking, explain_posted

TIERS = ("central", "provincial", "municipal")


def raw_fen(row: Deduction) -> int:
    """All tiers before the caps, in fen."""
    return sum(getattr(row, f"raw_{tier}_fen") for tier in TIERS)


def granted_fen(row: Deduction) -> int:
    """All tiers of this posting, in fen."""
    return sum(getattr(row, f"{tier}_fen") for tier in TIERS)


def by_tier(request: HttpRequest, deduction: Deduction) -> Section:
    """The posting tier by tier."""
    lines = [
        (
            wording.tier_name(tier),
            yuan(getattr(deduction, f"raw_{tier}_fen")),
            yuan(getattr(deduction, f"{tier}_fen")),
        )
        for tier in TIERS
    ]
    total = (_("合计"), yuan(raw_fen(deduction)), yuan(granted_fen(deduction)))
    return Section(
        title=_("按资金层级"),
        columns=[
            *texts(_("资金层级")),
            *numbers(in_yuan(_("应贴（限额前）")), in_yuan(_("本次入账"))),
        ],
        rows=[*lines, total],
    )


def same_collection(request: HttpRequest, deduction: Deduction) -> Section:
    """Every posting of the same collection, under every scheme, with what it adds up to."""
    postings = list(
        Deduction.objects.filter(note_id=deduction.note_id, collection_id=deduction.collection_id)
        .select_related("scheme")
        .order_by("scheme__code", "sequence")
    )
    lines = [
        (
            scheme_name(p.scheme.code),
            link("settlement_deduction", p.pk, p.sequence),
            p.posted_on,
            *(yuan(getattr(p, f"{tier}_fen")) for tier in TIERS),
            yuan(granted_fen(p)),
            wording.posting_in_words(p.why),
        )
        for p in postings
    ]
    sums = [yuan(sum(getattr(p, f"{tier}_fen") for p in postings)) for tier in TIERS]
    total = (_("净额"), "", "", *sums, yuan(sum(granted_fen(p) for p in postings)), "")
    return Section(
        title=_("同一笔收息的全部入账"),
        columns=[
            *texts(_("贴息政策"), _("序次"), _("入账日")),
            *numbers(
                in_yuan(_("中央")), in_yuan(_("省级")), in_yuan(_("市级")), in_yuan(_("合计"))
            ),
            *texts(_("说明")),
        ],
        rows=[*lines, total],
    )


def explained(deduction: Deduction) -> dict[str, Any]:
    """What the explanation's template shows of a deduction."""
    note, code = note_card(note_id=deduction.note_id), deduction.scheme.code
    assert note is not None, "whoever sees a deduction sees its note"
    try:
        found = explain_posted(note=note, collection_id=deduction.collection_id, scheme_code=code)
    except LookupError:
        return {"warnings": [gettext("该政策没有生效的版本，无法说明")], "sections": []}
    one = found.working.collection
    vouched = entries_of(note_id=note.note_id, collection_id=one.collection_id, scheme_code=code)
    heading = gettext(
        "%(scheme)s（%(document)s，v%(version)d），收息 %(reference)s，计息期 %(start)s ~ %(end)s（不含），"
        "应收 %(due)s 元，实收 %(paid)s 元"
    )
    return {
        "heading": heading
        % {
            "scheme": scheme_name(code),
            "document": found.working.scheme.document,
            "version": found.working.scheme.version,
            "reference": one.reference,
            "start": one.period_start,
            "end": one.period_end,
            "due": yuan(one.due_fen),
            "paid": yuan(one.paid_fen),
        },
        "warnings": _warnings(found, deduction),
        "sections": explanation.sections(found.working, vouched),
    }


def _warnings(found: OwnWorking, deduction: Deduction) -> list[str]:
    """What the reader must know first: facts or terms newer than what is posted."""
    told = []
    if not found.agrees:
        told.append(gettext("入账后事实有变更，下面按现在的事实计算，下次运行将补记差额"))
    elif not found.is_current:
        told.append(gettext("入账后登记了该企业的新事实，下次运行时核对"))
    if deduction.version.version != found.working.scheme.version:
        told.append(
            gettext("入账时的政策版本为 v%(number)d") % {"number": deduction.version.version}
        )
    return told


class DeductionSchemeFilter(SimpleListFilter):
    """By scheme."""

    title = _("贴息政策")
    parameter_name = "scheme"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """Every scheme."""
        codes = Scheme.objects.order_by("code").values_list("code", flat=True)
        return [(code, scheme_name(code)) for code in codes]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Postings under that scheme."""
        return queryset.filter(scheme__code=self.value()) if self.value() else queryset


class TierFilter(SimpleListFilter):
    """By tier that pays."""

    title = _("资金层级")
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """The three tiers."""
        return [(tier, wording.tier_name(tier)) for tier in TIERS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Postings with money of that tier."""
        tier = self.value()
        return queryset.exclude(**{f"{tier}_fen": 0}) if tier in TIERS else queryset


class CutFilter(SimpleListFilter):
    """By reason of a cut."""

    title = _("核减原因")
    parameter_name = "cut"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """Cut at all, or by which rule."""
        return [("any", _("有核减")), *wording.CUTS_SHORT.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Postings whose state names the reason."""
        code = self.value()
        if code != "any" and code not in CUT_REASONS:
            return queryset
        cut = queryset.filter(cut_reasons__gt=0)  # these have an index, the single reasons have not
        if code == "any":
            return cut
        masked: QuerySet[Any] = cut.annotate(cut=F("cut_reasons").bitand(cut_bit(code)))
        return masked.filter(cut__gt=0)


class DifferenceFilter(YesNoFilter):
    """Originals, or differences after changed facts."""

    title = _("差额入账")
    parameter_name = "difference"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Postings numbered above 0, or originals."""
        if self.value() == "yes":
            return queryset.filter(sequence__gt=0)
        return queryset.filter(sequence=0) if self.value() == "no" else queryset


@admin.register(Deduction)
class DeductionAdmin(FactAdmin):
    """Postings, latest month first."""

    when_empty = _("还没有代付贴息：借据认定为符合条件且有收息后，运行贴息计算即可生成。")
    list_display = (
        "collected_on", "scheme_label", "note", "institution_name", "period", "total_yuan", "central_yuan",
        "provincial_yuan", "municipal_yuan", "cuts", "sequence",
    )  # fmt: skip
    list_filter = (
        DeductionSchemeFilter, CollectedMonthFilter, TierFilter, CutFilter, DifferenceFilter, LevelFilter,
    )  # fmt: skip
    list_select_related = ("scheme", "institution", "note")
    ordering = ("-pk",)
    sortable_by = ()
    search_by = (of_note(), of_collection("collection_id"))
    search_help_text = _("借据号的开头，或收息流水号")
    fieldsets = (
        (
            _("代付贴息"),
            {
                "fields": (
                    ("scheme", "version_link"), ("note", "institution"), ("collection", "collected_on"),
                    ("period", "days"), ("product_yuan", "total_yuan"), ("sequence", "posted_on"),
                    ("run", "why_text"), "cuts_text",
                )
            },
        ),
    )  # fmt: skip
    sections = (by_tier, same_collection)
    heading = ("note", "scheme_label", "period")

    def get_urls(self) -> list[Any]:
        """Also: how a deduction came about."""
        view = self.admin_site.admin_view(self.explanation_view)
        name = "settlement_deduction_explanation"
        return [path("<path:object_id>/explanation/", view, name=name), *super().get_urls()]

    def row_buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """How it came about."""
        address = reverse("admin:settlement_deduction_explanation", args=[row.pk])
        return [Button(_("如何算出"), address, "calculate")]

    def explanation_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The working of one deduction: a part of the note's page, or a page of its own."""
        row = self.row(request, object_id)
        if row is None or not self.has_view_permission(request, row):
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "title": _("如何算出"),
            "opts": self.opts,
            "home": reverse("admin:settlement_deduction_change", args=[row.pk]),
            **explained(cast("Deduction", row)),
        }
        is_part = request.headers.get("HX-Request") == "true"
        page = "explanation" if is_part else "explanation_page"
        return TemplateResponse(request, f"settlement/{page}.html", context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the collections, looked up by key: joined, every month meets every month."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.prefetch_related("collection")

    @display(description=_("贴息政策"))
    def scheme_label(self, row: Deduction) -> str:
        """The scheme's name."""
        return scheme_name(row.scheme.code)

    @display(description=_("政策版本"))
    def version_link(self, row: Deduction) -> Any:
        """The terms it was computed by."""
        return link("settlement_schemeversion", row.version_id, f"v{row.version.version}")

    @display(description=_("计息期"))
    def period(self, row: Deduction) -> Any:
        """First day, and the day after the last; neither is broken between lines."""
        day = '<span class="kernel-day">{}</span>'
        return format_html(f"{day} ~ {day}", row.collection.period_start, row.collection.period_end)

    @display(description=_("积数（元·天）"))
    def product_yuan(self, row: Deduction) -> Any:
        """Base × days."""
        return yuan(row.product)

    @display(description=in_yuan(_("应贴合计")))
    def raw_total_yuan(self, row: Deduction) -> Any:
        """All tiers before the caps."""
        return yuan(raw_fen(row))

    @display(description=in_yuan(_("合计")))
    def total_yuan(self, row: Deduction) -> Any:
        """All tiers of this posting."""
        return yuan(granted_fen(row))

    @display(description=_("核减原因"))
    def cuts(self, row: Deduction) -> str:
        """Which caps cut, in brief."""
        return wording.cuts_in_brief(row.cut_reasons) or self.empty_value_display

    @display(description=_("核减原因"))
    def cuts_text(self, row: Deduction) -> Any:
        """Which caps cut, as sentences."""
        return wording.cuts_in_words(row.cut_reasons) or self.empty_value_display

    @display(description=_("说明"))
    def why_text(self, row: Deduction) -> str:
        """Why there is a difference."""
        return wording.posting_in_words(row.why) or self.empty_value_display


@admin.register(MonthlySubsidy)
class MonthlySubsidyAdmin(FactAdmin):
    """What statements added to the sums of months, which the home page shows; latest first."""

    list_display = (
        "month_text", "scheme_label", "institution_name", "central_yuan", "provincial_yuan",
        "municipal_yuan",
    )  # fmt: skip
    fields = list_display
    heading = ("institution_name", "scheme_label", "month_text")
    list_filter = (DeductionSchemeFilter, month_of("month"), LevelFilter)
    list_select_related = ("scheme", "institution")
    sortable_by = ()

    @display(description=_("收息月份"))
    def month_text(self, row: MonthlySubsidy) -> str:
        """Year and month."""
        return f"{row.month:%Y-%m}"

    @display(description=_("贴息政策"))
    def scheme_label(self, row: MonthlySubsidy) -> str:
        """The scheme's name."""
        return scheme_name(row.scheme.code)
