"""Funds with their balances, and the entries that made them. Nobody edits a ledger."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter, display
from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.filters import LevelFilter, MonthFilter, YearFilter, month_of
from config.kernel.admin.searching import prefix
from config.kernel.admin.sections import SECTION_ROWS, Section, link, numbers, texts
from loans.admin.base import FactAdmin, in_yuan, yuan
from loans.values.money import grouped_yuan
from settlement.admin.wording import TIER_NAMES
from settlement.models import Account, Event, Fund, LedgerEntry, LedgerLine, Receipt, TakenOver

_MONTH = r"([12][0-9]{3})-(0[1-9]|1[0-2])"
SPAN = re.compile(rf"(?:{_MONTH})?\.\.{_MONTH}", re.ASCII)
FLOWS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "received": (_("收到预拨"), (Event.PRE_ALLOCATION,)),
    "used": (_("代付贴息"), (Event.DEDUCTION, Event.NEGATIVE_DIFFERENCE, Event.TAKEN_OVER)),
    "returned": (_("退回财政"), (Event.SURPLUS_RETURNED,)),
    "cash": (
        _("专户与垫付"),
        (
            Event.PRE_ALLOCATION, Event.ADVANCE_REPAID, Event.TAKEN_OVER, Event.DEDUCTION,
            Event.CLAWBACK_RECEIVED, Event.MADE_GOOD, Event.SURPLUS_RETURNED,
        ),
    ),
}  # fmt: skip


def scheme_of(fund: Fund) -> str:
    """The name of a fund's policy, its code in English; the fund is read with its scheme."""
    return str(fund.scheme.code if get_language() == "en" else fund.scheme.name)


def latest_entries(request: HttpRequest, fund: Fund) -> Section:
    """The fund's latest entries."""
    return Section(
        title=_("最近分录"),
        columns=[
            *texts(_("编号"), _("入账日"), _("事项")),
            *numbers(_("金额（元）")),
            *texts(_("来源")),
        ],
        rows=[
            (
                link("settlement_ledgerentry", entry.pk, entry.number),
                entry.posted_on,
                entry.get_event_display(),
                grouped_yuan(sum(line.debit_fen for line in entry.lines.all())),
                entry.source,
            )
            for entry in fund.ledger.order_by("-number").prefetch_related("lines")[:SECTION_ROWS]
        ],
    )


def lines(request: HttpRequest, entry: LedgerEntry) -> Section:
    """Both sides of the entry."""
    return Section(
        title=_("借贷"),
        columns=[*texts(_("科目")), *numbers(_("借方（元）"), _("贷方（元）"))],
        rows=[
            (
                line.get_account_display(),
                grouped_yuan(line.debit_fen) if line.debit_fen else "",
                grouped_yuan(line.credit_fen) if line.credit_fen else "",
            )
            for line in entry.lines.order_by("pk")[:SECTION_ROWS]
        ],
    )


@admin.register(Fund)
class FundAdmin(FactAdmin):
    """What each fund holds, has used, was advanced and is owed."""

    is_short = True
    when_empty = _("还没有资金：预拨资金入账或首次代付后，按机构、政策和层级建立。")
    list_display = (
        "scheme_label", "institution_name", "tier_name", "purpose", "special_account_yuan", "reserved_yuan",
        "available_yuan", "treasury_advance_yuan", "subsidy_applied_yuan", "bank_advance_yuan",
        "clawback_receivable_yuan", "disallowed_yuan",
    )  # fmt: skip
    fieldsets = (
        (
            _("资金"),
            {
                "description": _(
                    "预拨资金是财政已预拨、尚未结算的金额，为负时是财政尚应拨付的金额；银行垫付是应归还银行的金额。"
                ),
                "fields": (
                    ("institution", "scheme"), ("tier_name", "purpose"),
                    ("special_account_yuan", "treasury_advance_yuan"),
                    ("reserved_yuan", "bank_advance_yuan"), ("available_yuan", "subsidy_applied_yuan"),
                    ("clawback_receivable_yuan", "disallowed_yuan"), ("closed_through", "entries"),
                    "chain_text",
                ),
            },
        ),
    )  # fmt: skip
    heading = ("institution_name", "scheme_label", "tier_name", "purpose")
    list_filter = ("scheme", "tier", "purpose", LevelFilter)
    list_select_related = ("scheme", "institution")
    search_by = (prefix("institution__code"), prefix("scheme__code"))
    search_help_text = _("机构编码或政策代码的开头")
    sections = (latest_entries,)

    @display(description=_("资金层级"), ordering="tier")
    def tier_name(self, row: Fund) -> Any:
        """Central, provincial or municipal."""
        return TIER_NAMES[row.tier]

    @display(description=_("可用（元）"))
    def available_yuan(self, row: Fund) -> str:
        """The special account less what is reserved."""
        return grouped_yuan(row.available_fen)

    @display(description=_("贴息政策"), ordering="scheme")
    def scheme_label(self, row: Fund) -> str:
        """The policy's name."""
        return scheme_of(row)

    @display(description=in_yuan(Account.TREASURY_ADVANCE.label), ordering="-treasury_advance_fen")
    def treasury_advance_yuan(self, row: Fund) -> str:
        """What finance paid ahead and has not settled; below zero, what finance still has to pay."""
        return grouped_yuan(-row.treasury_advance_fen)

    @display(description=in_yuan(Account.BANK_ADVANCE.label), ordering="-bank_advance_fen")
    def bank_advance_yuan(self, row: Fund) -> str:
        """What the bank paid in finance's stead and is due back."""
        return grouped_yuan(-row.bank_advance_fen)

    @display(description=_("链头"))
    def chain_text(self, row: Any) -> str:
        """The hash in hexadecimal."""
        return bytes(row.chain).hex()


class FlowFilter(SimpleListFilter):
    """By what went in, and what was used, as the home page counts it."""

    title = _("收支")
    parameter_name = "flow"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """Money received, subsidies with their differences, money given back, all that moved cash."""
        return [(key, title) for key, (title, _events) in FLOWS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Entries of those events."""
        flow = FLOWS.get(self.value() or "")
        return queryset if flow is None else queryset.filter(event__in=flow[1])


class FundTierFilter(SimpleListFilter):
    """By the fund's tier."""

    title = _("资金层级")
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """The three tiers."""
        return list(TIER_NAMES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Entries of funds of that tier."""
        tier = self.value()
        return queryset.filter(fund__tier=tier) if tier in TIER_NAMES else queryset


class CollectedFilter(MonthFilter):
    """By the month of collection."""

    title = _("收息月份")
    parameter_name = "collected"
    date_field = "month"


class ArrivedFilter(MonthFilter):
    """Pre-allocations by the month in which finance's money arrived."""

    title = _("到账月份")
    parameter_name = "arrived"
    date_field = "pre_allocation__received_on"

    def ends(self, rows: QuerySet[Any]) -> tuple[int, int] | None:
        """The first and the last month with a receipt in sight."""
        return super().ends(Receipt.objects.all())

    def in_month(self, queryset: QuerySet[Any], year: int, month: int) -> QuerySet[Any]:
        """Entries of receipts of money that arrived in the month."""
        arrived = super().in_month(Receipt.objects.all(), year, month)
        return queryset.filter(
            event=Event.PRE_ALLOCATION, source_id__in=arrived.values("pre_allocation_id")
        )


class MovedFilter(SimpleListFilter):
    """By the months a movement counts in on the home page: `2026-01..2026-03`, or `..2026-03` up to then.

    That of collection; for finance's money that of its arrival; else that of posting. Only asked for by
    address: there is no end of such spans to choose from.
    """

    title = _("变动月份")
    parameter_name = "moved"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """The span that was asked for, if it is one."""
        asked = request.GET.get(self.parameter_name, "")
        return [(asked, asked)] if SPAN.fullmatch(asked) else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Entries of these months."""
        found = SPAN.fullmatch(self.value() or "")
        if found is None:
            return queryset
        after = date(int(found[3]) + int(found[4]) // 12, int(found[4]) % 12 + 1, 1)
        first = date(int(found[1]), int(found[2]), 1) if found[1] else date.min
        span = (first, after - timedelta(days=1))
        received = Receipt.objects.filter(pre_allocation__received_on__range=span)
        is_received = Q(event=Event.PRE_ALLOCATION)
        return queryset.filter(
            Q(month__range=span)
            | Q(month=None) & is_received & Q(source_id__in=received.values("pre_allocation_id"))
            | Q(month=None) & ~is_received & Q(posted_on__range=span)
        )


@admin.register(LedgerEntry)
class LedgerEntryAdmin(FactAdmin):
    """Entries, latest first."""

    when_empty = _("还没有分录：预拨入账、代付、结算和追回时自动记账。")
    list_display = (
        "number", "fund_name", "institution_name", "event", "amount_yuan", "posted_on", "month",
        "year", "source", "actor",
    )  # fmt: skip
    list_filter = (
        FlowFilter, "event", "fund__scheme", FundTierFilter, "fund__purpose", CollectedFilter,
        ArrivedFilter, MovedFilter, YearFilter, LevelFilter, month_of("posted_on"),
    )  # fmt: skip
    list_select_related = ("fund__scheme", "institution")
    search_by = (prefix("source"),)
    search_help_text = _("来源的开头")
    sections = (lines,)
    heading = ("fund_name", "number")
    fields = (
        "number", "fund_name", "institution", "event", "amount_yuan", "posted_on", "month", "year", "source",
        "source_id", "actor", "chain_text",
    )  # fmt: skip
    chain_text = FundAdmin.chain_text

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Entries with their amounts."""
        sides = LedgerLine.objects.filter(entry=OuterRef("pk")).order_by().values("entry")
        rows: QuerySet[Any] = super().get_queryset(request)
        found: QuerySet[Any] = rows.annotate(amount=Subquery(sides.values(fen=Sum("debit_fen"))))
        return found

    @display(description=in_yuan(_("金额")))
    def amount_yuan(self, row: Any) -> Any:
        """What one side adds up to."""
        return yuan(row.amount)

    @display(description=_("资金"))
    def fund_name(self, row: LedgerEntry) -> str:
        """Scheme and tier."""
        return f"{scheme_of(row.fund)} {TIER_NAMES[row.fund.tier]}"


@admin.register(LedgerLine)
class LedgerLineAdmin(FactAdmin):
    """Single sides of entries, by account."""

    when_empty = _("还没有分录行：有分录后在此逐行列出。")
    list_display = ("entry", "institution_name", "account", "debit_yuan", "credit_yuan")
    list_filter = ("account", LevelFilter)
    list_select_related = ("entry", "institution")


@admin.register(TakenOver)
class TakenOverAdmin(FactAdmin):
    """What was paid before the system took over, as booked."""

    is_short = True
    when_empty = _("没有期初入账：上线前已贴息的导入期初数后，在此入账。")
    list_display = (
        "fund_name", "institution_name", "year", "sequence", "amount_yuan", "posted_on", "actor",
    )  # fmt: skip
    list_filter = ("fund__scheme", "year", LevelFilter)
    list_select_related = ("fund__scheme", "institution")

    @display(description=_("资金"))
    def fund_name(self, row: TakenOver) -> str:
        """Scheme and tier."""
        return f"{scheme_of(row.fund)} {TIER_NAMES[row.fund.tier]}"
