"""The home page: what waits, what is due, where the money stands; each figure leads to its rows.

Everybody sees the institution they belong to and those below, as row-level security has it. Its
queries are few and do not grow with the book.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import may_make, may_open, staff
from config.kernel.admin.paging import COUNT_MAX
from config.kernel.admin.sections import Section, link, list_address, numbers, texts
from config.kernel.admin.waiting import Waiting, counted
from loans.admin.import_forms import kinds_for, may_import
from loans.selectors.started import Started, started
from reports.admin import home_money, wording
from reports.admin.deadlines import STANDINGS
from reports.selectors.calendar import unpublished_years
from reports.selectors.obligations import next_due
from settlement.selectors import fund_use
from settlement.selectors.fund_use import FundUse, MonthUse, NoteMonth

DEADLINES = 8
INSTITUTIONS, PARTICIPATIONS = "kernel_institution", "loans_participation"
FILES = "loans_fileimport"
YEARS_MAX = 6


@dataclass(frozen=True)
class Setup:
    """A step of setting up: what to do, whether it is done, where it is done or seen, and by whom if not by you."""

    title: Any
    is_done: bool
    address: str
    whose: Any = ""


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The page's context for whoever asks."""
    user = staff(request)
    shown = {**context, "title": _("首页")}
    if user is None or user.scope is None:
        return {**shown, "is_nobodys": True}
    today = timezone.localdate()
    facts = started()
    funds = fund_use.fund_uses(today=today)
    granted = fund_use.note_months()
    years = _years(funds, granted, today)
    year = _asked_year(request, years, today)
    uses = fund_use.month_uses(year=year)
    charts = _charts(uses, granted, _months(year, today, uses, granted))
    return {
        **shown,
        "setup": _setup(request, facts, is_paid=bool(granted)),
        "place": user.institution,
        "work": _work(counted(request)),
        "deadlines": [_deadlines(today)],
        "undated": unpublished_years(today=today),
        "money": [home_money.money(request, funds, today=today)],
        "charts": charts,
        "tables": [chart.table for chart in charts],
        "years": [(one, f"?year={one}", one == year) for one in years],
        "forecast": _forecast(request),
    }


def _years(funds: Sequence[FundUse], granted: Sequence[NoteMonth], today: date) -> list[int]:
    """The years that may be looked at: those with money moved, and this one; latest first."""
    days = [day for fund in funds for day in (fund.first_day, fund.last_day) if day is not None]
    known = {day.year for day in (*days, *(one.month for one in granted), today)}
    return list(range(max(known), min(known) - 1, -1))[:YEARS_MAX]


def _asked_year(request: HttpRequest, years: Sequence[int], today: date) -> int:
    """The year of the address, if it is one of these; else this one."""
    asked = request.GET.get("year", "")
    return next((year for year in years if str(year) == asked), today.year)


def _months(
    year: int, today: date, uses: Iterable[MonthUse], granted: Iterable[NoteMonth]
) -> list[date]:
    """The year's months up to now, or up to the last with a movement."""
    moved = {use.month for use in uses} | {one.month for one in granted}
    reached = 12 if year < today.year else today.month if year == today.year else 0
    last = max((month.month for month in moved if month.year == year), default=1)
    return [date(year, month, 1) for month in range(1, max(last, reached) + 1)]


def _work(found: Sequence[tuple[Waiting, int]]) -> list[Section]:
    """What waits: for a second person, who may be one; for who enters things; and what is amiss."""
    checks = [w for w in found if w[0].is_check]
    makes = [w for w in found if w[0].is_make]
    amiss = [w for w in found if not (w[0].is_check or w[0].is_make)]
    sections = [_waiting(_("异常"), amiss, empty=_("没有异常"))]
    if makes:
        sections.insert(0, _waiting(_("待我办理"), makes, empty=_("没有等待您办理的事项")))
    if checks:
        sections.insert(0, _waiting(_("待我复核"), checks, empty=_("没有等待您复核的事项")))
    return sections


def _waiting(title: Any, found: Iterable[tuple[Waiting, int]], *, empty: Any) -> Section:
    """What waits, with how many of each; nothing waits that is not there."""
    return Section(
        title=title,
        columns=[*texts(_("待办事项")), *numbers(_("件数"))],
        rows=[(_leading(one, one.title), _leading(one, _told(n))) for one, n in found if n],
        empty=empty,
    )


def _leading(one: Waiting, text: Any) -> SafeString:
    return format_html('<a href="{}" class="text-link">{}</a>', one.address, text)


def _told(count: int) -> str:
    """A count for people; no list counts beyond its bound."""
    return f"{count:,}+" if count >= COUNT_MAX else f"{count:,}"


def _deadlines(today: date) -> Section:
    """What has to be handed in next, and in how many days."""
    return Section(
        title=_("近期报送"),
        columns=[
            *texts(_("截止日"), _("最后工作日")),
            *numbers(_("剩余天数")),
            *texts(_("报表"), _("贴息政策"), _("机构"), _("状态")),
        ],
        rows=[
            (
                link("reports_obligation", one.pk, one.due_on),
                f"{one.last_working_day:%m-%d}",
                link("reports_obligation", one.pk, (one.last_working_day - today).days),
                f"{wording.report_name(one.code)} {one.period}",
                wording.scheme_or_all(one.scheme_code),
                one.institution.name,
                STANDINGS[one.standing],
            )
            for one in next_due(today=today, limit=DEADLINES)
        ],
        more=list_address("reports_obligation"),
        empty=_("没有即将到期的报送事项"),
    )  # fmt: skip


def _charts(
    uses: Sequence[MonthUse], granted: Sequence[NoteMonth], months: Sequence[date]
) -> list[home_money.Chart]:
    charts = [home_money.subsidies(granted, months), home_money.fund_use(uses, months)]
    return [chart for chart in charts if chart.table.rows]


def _setup(request: HttpRequest, facts: Started, *, is_paid: bool) -> list[Setup]:
    """What is left to do before the first subsidy is paid; nothing once that is."""
    if is_paid:
        return []
    entered = "enter" if may_make(request) else "changelist"
    return [
        _import(request, _("导入机构"), "institutions", INSTITUTIONS, is_done=facts.institutions),
        _import(
            request,
            _("登记合作银行"),
            "participations",
            PARTICIPATIONS,
            is_done=facts.participations,
        ),
        _import(request, _("导入企业、合同与借据"), "enterprises", FILES, is_done=facts.notes),
        Setup(
            _("登记预拨资金，由另一人复核入账"),
            facts.pre_allocations,
            reverse(f"admin:loans_preallocation_{entered}"),
            "" if may_make(request) else _("由经办或机构管理员办理"),
        ),
        _import(request, _("导入收息并运行代付"), "interest-collections", FILES, is_done=is_paid),
    ]


def _import(request: HttpRequest, title: Any, kind: str, elsewhere: str, *, is_done: bool) -> Setup:
    """A step by file: where this person brings it in, or where to see it and who does."""
    if may_import(request) and kind in dict(kinds_for(request)):
        page = reverse("admin:loans_fileimport_import")
        return Setup(title, is_done, f"{page}?kind={kind}")
    seen = list_address(elsewhere) if may_open(request, elsewhere) else ""
    whose = _("由经办导入") if elsewhere == FILES else _("由不限机构的系统管理员导入")
    return Setup(title, is_done, seen, whose)


def _forecast(request: HttpRequest) -> str:
    """Where a forecast by interest day is ordered, or the forecasts there are."""
    if may_make(request):
        return reverse("admin:reports_report_order") + "?code=annual-demand"
    return list_address("reports_report", code="annual-demand")


admin.site.index_template = "reports/home.html"
