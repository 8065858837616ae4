"""Posted deductions: originals and differences, with what was cut and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter, display
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.filters import LevelFilter, MonthOfIdFilter, YesNoFilter
from config.kernel.admin.sections import Section, link, numbers, texts
from loans.admin.base import OfNotesAdmin, in_yuan, scheme_name, yuan
from loans.admin.lookups import of_collection, of_note
from settlement.admin import wording
from settlement.engine.codes import CUT_REASONS, cut_bit
from settlement.models import Deduction, Scheme

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
        if code == "any":
            return queryset.filter(cut_reasons__gt=0)
        if code not in CUT_REASONS:
            return queryset
        masked: QuerySet[Any] = queryset.annotate(cut=F("cut_reasons").bitand(cut_bit(code)))
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
class DeductionAdmin(OfNotesAdmin):
    """Postings, latest month first."""

    when_empty = _("还没有代付贴息：借据认定为符合条件且有收息后，运行贴息计算即可生成。")
    list_display = (
        "collected_on", "scheme_label", "note", "institution_name", "period", "total_yuan", "central_yuan",
        "provincial_yuan", "municipal_yuan", "raw_total_yuan", "cuts", "days", "product_yuan", "sequence",
        "why_text",
    )  # fmt: skip
    list_filter = (
        DeductionSchemeFilter, MonthOfIdFilter, TierFilter, CutFilter, DifferenceFilter, LevelFilter,
    )  # fmt: skip
    list_select_related = ("scheme", "institution", "note", "collection")
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

    @display(description=_("贴息政策"))
    def scheme_label(self, row: Deduction) -> str:
        """The scheme's name."""
        return scheme_name(row.scheme.code)

    @display(description=_("政策版本"))
    def version_link(self, row: Deduction) -> Any:
        """The terms it was computed by."""
        return link("settlement_schemeversion", row.version_id, f"v{row.version.version}")

    @display(description=_("计息期"))
    def period(self, row: Deduction) -> str:
        """First day, and the day after the last."""
        return f"{row.collection.period_start} ~ {row.collection.period_end}"

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
