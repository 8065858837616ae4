"""The home page's money: by policy and tier, and month by month as charts with their tables."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import may_open
from config.kernel.admin.sections import Section, list_address, numbers, texts
from loans.admin.base import in_yuan, scheme_name, yuan
from loans.values.rounding import half_up
from settlement.admin import wording
from settlement.selectors.fund_use import FundUse, MonthUse, NoteMonth, TierUse, by_tier

COLOURS = ("#2563eb", "#059669", "#d97706", "#7c3aed", "#dc2626", "#0891b2", "#4d7c0f", "#be185d")
ENTRIES, FUNDS = "settlement_ledgerentry", "settlement_fund"
PLANNED = "settlement_planneddeduction"
FLOWS_SHOWN = ("received", "used", "returned")
GUARANTEE_FEE = "guarantee_fee"


@dataclass(frozen=True)
class Chart:
    """A chart of whole yuan for the eye; its table says the same to the fen, with links.

    `data` and `options` are Chart.js's, as JSON.
    """

    kind: str
    data: str
    options: str
    table: Section

    @property
    def label(self) -> str:
        """What it is, for those who cannot see it."""
        return gettext("图：%(title)s，数据见同名表格") % {"title": self.table.title}


def figure(fen: int, address: str) -> SafeString:
    """An amount in yuan that leads to its rows."""
    return format_html('<a href="{}" class="text-link">{}</a>', address, yuan(fen))


def money(request: HttpRequest, funds: Sequence[FundUse], *, today: date) -> Section:
    """What finance paid, what was used, given back and is left, by policy and tier; with sums."""
    sees_plans = may_open(request, PLANNED)
    lines = [_line(one, today, sees_plans=sees_plans) for one in by_tier(funds, today=today)]
    reserved = list_address(PLANNED, state__exact="reserved") if sees_plans else list_address(FUNDS)
    sums = [
        figure(sum(getattr(fund, name) for fund in funds), address)
        for name, address in (
            *((f"{flow}_fen", list_address(ENTRIES, flow=flow)) for flow in FLOWS_SHOWN),
            ("reserved_fen", reserved),
            ("available_fen", list_address(FUNDS)),
            ("bank_advance_fen", list_address(FUNDS)),
        )
    ]
    titles = (
        _("已收预拨"), _("已代付"), _("已退回财政"), _("已预留"), _("可用"), _("银行垫付"),
        _("月均用款"),
    )  # fmt: skip
    return Section(
        title=_("资金"),
        columns=[
            *texts(_("贴息政策"), _("层级")),
            *numbers(*map(in_yuan, titles)),
            *texts(_("预计用完日")),
        ],
        rows=[*lines, (_("合计"), "", *sums, "", "")] if lines else [],
        more=list_address(FUNDS) if lines else "",
        empty=_(
            "您的机构及下级没有资金账：预拨资金到账并复核入账后开立；政策资金由上级机构统一管理的，在上级查看"
        ),
    )


def _line(one: TierUse, today: date, *, sees_plans: bool) -> tuple[Any, ...]:
    """A policy and tier; whoever may not see plans is led to the funds, which say what is reserved."""
    fund = one.funds[0]
    of_fund = {
        "scheme__id__exact": fund.scheme_id, "tier": fund.tier, "purpose__exact": fund.purpose,
    }  # fmt: skip
    of_entry = {
        "fund__scheme__id__exact": fund.scheme_id, "tier": fund.tier,
        "fund__purpose__exact": fund.purpose,
    }  # fmt: skip
    reserved = list_address(
        PLANNED, state__exact="reserved", scheme=fund.scheme_code, tier=fund.tier
    )
    return (
        scheme_and_purpose(fund.scheme_code, fund.purpose),
        wording.tier_name(fund.tier),
        *(
            figure(one.sum(f"{flow}_fen"), list_address(ENTRIES, flow=flow, **of_entry))
            for flow in FLOWS_SHOWN
        ),
        figure(one.sum("reserved_fen"), reserved if sees_plans else list_address(FUNDS, **of_fund)),
        figure(one.sum("available_fen"), list_address(FUNDS, **of_fund)),
        figure(one.sum("bank_advance_fen"), list_address(FUNDS, **of_fund)),
        _rate(one, of_entry),
        _end(one, today),
    )


def _rate(one: TierUse, of_entry: dict[str, Any]) -> SafeString | str:
    """What a month takes, as a link to the deductions it comes from."""
    if one.burn is None:
        return ""
    months = {"month__gte": one.burn.since, "month__lt": one.burn.until}
    rows = list_address(ENTRIES, event__exact="deduction", **months, **of_entry)
    return figure(one.burn.monthly_fen, rows)


def _end(one: TierUse, today: date) -> SafeString | str:
    """When the first of the funds runs out, as a link to it; or that it has."""
    if one.shortest is None or one.short_on is None:
        return ""
    told = gettext("已不足") if one.short_on <= today else f"{one.short_on:%Y-%m-%d}"
    return format_html(
        '<a href="{}" class="text-link" title="{}">{}</a>',
        reverse(f"admin:{FUNDS}_change", args=[one.shortest.fund_id]),
        one.shortest.institution_name,
        told,
    )


def scheme_and_purpose(code: str, purpose: str) -> str:
    """The policy's name; guarantee fees, which have a fund of their own, are told apart."""
    name = scheme_name(code)
    return gettext("%(scheme)s（担保费）") % {"scheme": name} if purpose == GUARANTEE_FEE else name


def subsidies(granted: Iterable[NoteMonth], months: Sequence[date]) -> Chart:
    """Subsidies of the notes in sight, by month of collection and policy; whoever's fund paid them."""
    found: dict[str, dict[date, int]] = {}
    for one in granted:
        if one.month in months:
            found.setdefault(one.scheme_code, {})[one.month] = one.granted_fen
    names = [scheme_name(code) for code in found]
    table = Section(
        title=_("各月贴息"),
        columns=[*texts(_("收息月份")), *numbers(*map(in_yuan, names), in_yuan(_("合计")))],
        rows=[_granted(month, found) for month in months] if found else [],
    )
    lines = [
        (name, [fen.get(month, 0) for month in months])
        for name, fen in zip(names, found.values(), strict=True)
    ]
    return Chart("bar", _data(months, lines), _options(stacked=True), table)


def _granted(month: date, found: dict[str, dict[date, int]]) -> tuple[Any, ...]:
    """A month's line: each policy and all of them, as links to the deductions."""
    name = f"{month:%Y-%m}"
    cells = [
        figure(fen[month], list_address("settlement_deduction", scheme=code, month=name))
        if month in fen
        else ""
        for code, fen in found.items()
    ]
    total_fen = sum(fen.get(month, 0) for fen in found.values())
    return (name, *cells, figure(total_fen, list_address("settlement_deduction", month=name)))


def fund_use(uses: Iterable[MonthUse], months: Sequence[date]) -> Chart:
    """The funds over the year: received and used so far, and what is left at each month's end."""
    received, used, moved = Counter[date](), Counter[date](), Counter[date]()
    left_fen = 0
    for use in uses:
        if use.month not in months:
            left_fen += use.moved_fen
            continue
        received[use.month] += use.received_fen
        used[use.month] += use.used_fen
        moved[use.month] += use.moved_fen
    got = _running(received, months, 0)
    gone = _running(used, months, 0)
    left = _running(moved, months, left_fen)
    table = Section(
        title=_("资金使用进度"),
        columns=[
            *texts(_("月份")),
            *numbers(
                *map(
                    in_yuan,
                    (_("当月收到预拨"), _("当月代付"), _("本年累计收到"), _("本年累计代付")),
                ),
                in_yuan(_("月末结余（减垫付）")),
            ),
        ],
        rows=[
            (*_moved(month, received[month], used[month]), *_so_far(month, sums))
            for month, *sums in zip(months, got, gone, left, strict=True)
        ]
        if received or used or moved or left_fen
        else [],
    )
    names = map(str, (_("本年累计收到"), _("本年累计代付"), _("月末结余（减垫付）")))
    lines = list(zip(names, (got, gone, left), strict=True))
    return Chart("line", _data(months, lines), _options(stacked=False), table)


def _moved(month: date, received_fen: int, used_fen: int) -> tuple[Any, ...]:
    name = f"{month:%Y-%m}"
    return (
        name,
        figure(received_fen, list_address(ENTRIES, arrived=name)),
        figure(used_fen, list_address(ENTRIES, flow="used", collected=name)),
    )


def _so_far(month: date, sums: Sequence[int]) -> tuple[SafeString, ...]:
    """Sums since the year began, and what is left of all movements, each as a link to the entries."""
    last = f"{month:%Y-%m}"
    year = f"{month.year}-01..{last}"
    flows = (("received", year), ("used", year), ("cash", f"..{last}"))
    return tuple(
        figure(fen, list_address(ENTRIES, flow=flow, moved=span))
        for fen, (flow, span) in zip(sums, flows, strict=True)
    )


def _running(moves: Counter[date], months: Sequence[date], total: int) -> list[int]:
    found = []
    for month in months:
        total += moves[month]
        found.append(total)
    return found


def _data(months: Sequence[date], lines: Sequence[tuple[str, Sequence[int]]]) -> str:
    """Chart.js's data: whole yuan, half-up."""
    datasets = [
        {
            "label": name,
            "data": [half_up(fen, 100) for fen in fens],
            "backgroundColor": COLOURS[place % len(COLOURS)],
            "borderColor": COLOURS[place % len(COLOURS)],
        }
        for place, (name, fens) in enumerate(lines)
    ]
    labels = [f"{month:%Y-%m}" for month in months]
    return json.dumps({"labels": labels, "datasets": datasets}, ensure_ascii=False)


def _options(*, stacked: bool) -> str:
    scale = {"stacked": stacked}
    unit = {"title": {"display": True, "text": gettext("元")}}
    options = {
        "animation": False,
        "maintainAspectRatio": False,
        "plugins": {"legend": {"position": "bottom"}},
        "scales": {"x": scale, "y": scale | unit},
    }
    return json.dumps(options, ensure_ascii=False)
