"""Schemes and the texts of their terms; a second person puts a text in force."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import sees_everything, staff
from config.kernel.admin.searching import exact, prefix
from config.kernel.admin.sections import SECTION_ROWS, Section, Stage, link, numbers, texts
from config.kernel.services.export import register_rows
from loans.admin.base import FactAdmin, RegistryAdmin
from loans.admin.lookups import of_enterprise
from loans.admin.parties import CheckedFilter
from loans.admin.steps import StepsAdmin
from settlement.admin.paper_sections import asked_by_version
from settlement.admin.scheme_forms import Check, Propose, Refuse, differences
from settlement.models import Assessment, EnterprisePosting, Scheme, SchemeVersion
from settlement.selectors.registers import COMMITMENTS


def versions(request: HttpRequest, scheme: Scheme) -> Section:
    """Every text of the scheme's terms, latest first."""
    return Section(
        title=_("政策版本"),
        columns=texts(_("版本"), _("经办"), _("复核"), _("载入时间"), _("复核时间")),
        rows=[
            (
                link("settlement_schemeversion", v.pk, v.version),
                v.made_by,
                v.checked_by or (_("已退回") if v.refused_by else _("待复核")),
                v.loaded_at,
                v.checked_at,
            )
            for v in scheme.versions.order_by("-version").defer("text")[:SECTION_ROWS]
        ],
    )


def year_funds(request: HttpRequest, scheme: Scheme) -> Section:
    """First come, first served (D16): what notes have committed of each year's fund, and what is left.

    Added up note by note, so only for whoever asks: at 30,000 notes it takes longer than a page may.
    """
    person, is_asked = staff(request), "year_funds" in request.GET
    found: Iterable[Any] = ()
    if is_asked:
        found = register_rows(
            register=COMMITMENTS,
            scope=(person and person.scope) or (0, -1),
            filters={"scheme": scheme.code},
            limit=SECTION_ROWS,
        )
    shown = ("fund", "committed", "earned", "opening", "released", "free")
    return Section(
        title=_("年度资金占用"),
        columns=[
            *texts(_("放款年度"), _("银行")),
            *numbers(
                _("占用笔数"), _("资金不足未予认定"), _("年度资金（元）"), _("已占用（元）"), _("已贴息（元）"),
                _("期初已贴息（元）"), _("结束后释放（元）"), _("余额（元）"),
            ),
        ],
        rows=[
            (
                row["year"],
                row["institution_code"] or _("全部"),
                row["notes"],
                row["refused"],
                *("" if row[name] is None else f"{row[name]:,}" for name in shown),
            )
            for row in found
        ],
        more="" if is_asked else "?year_funds",
        empty="" if is_asked else _("按借据逐笔加总，点“查看全部”列出"),
    )  # fmt: skip


def terms(request: HttpRequest, version: SchemeVersion) -> Section:
    """The text as loaded."""
    text = format_html('<pre class="kernel-text">{}</pre>', version.text)
    return Section(title=_("条款"), columns=texts(_("条款")), rows=[(text,)])


@admin.register(Scheme)
class SchemeAdmin(FactAdmin):
    """Schemes."""

    is_short = True
    when_empty = _("还没有贴息政策：由系统管理员用 load_schemes 载入政策文件。")
    ordering = ("code",)
    list_display = ("code", "name")
    search_by = (prefix("code"), prefix("name"))
    search_help_text = _("政策代码或名称的开头")
    sections = (versions, year_funds)


@admin.register(SchemeVersion)
class SchemeVersionAdmin(StepsAdmin, FactAdmin):
    """Texts of terms; whoever put one in cannot check it."""

    is_short = True
    when_empty = _("还没有政策版本：由系统管理员用 load_schemes 载入，再由另一人复核生效。")
    ordering = ("scheme__code", "-version")
    list_display = (
        "scheme", "version", "made_by", "checked_by", "loaded_at", "checked_at", "refused_by",
    )  # fmt: skip
    list_filter = (CheckedFilter, "scheme")
    list_select_related = ("scheme",)
    search_by = (prefix("scheme__code"), prefix("scheme__name"), exact("sha256"))
    search_help_text = _("政策代码或名称的开头、条款摘要")
    fields = (
        "scheme", "version", "made_by", "checked_by", "loaded_at", "checked_at", "refused_by",
        "refused_at", "refused_why", "sha256",
    )  # fmt: skip
    heading = ("scheme", "version")
    sections = (differences, asked_by_version, terms)
    list_steps = {"propose": Propose}
    row_steps = {"check": Check, "refuse": Refuse}

    def stages(self, request: HttpRequest, row: SchemeVersion) -> list[Stage]:
        """Put in, checked or refused."""
        first = Stage(_("登记"), "done", row.made_by, row.loaded_at)
        if row.refused_by is not None:
            return [first, Stage(_("已退回"), "off", row.refused_by, row.refused_at)]
        standing = "now" if row.checked_by is None else "done"
        checked = Stage(_("复核生效"), standing, row.checked_by or "", row.checked_at)
        return [first, checked]


@admin.register(Assessment)
class AssessmentAdmin(FactAdmin):
    """When all labels were judged, for those who see everything."""

    when_empty = _("还没有认定批次：首次运行认定后，在此显示。")
    list_display = ("at", "labels", "changed", "engine", "facts_position", "terms_key")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It counts every institution's labels."""
        return sees_everything(request)


@admin.register(EnterprisePosting)
class EnterprisePostingAdmin(RegistryAdmin):
    """Up to which facts and day an enterprise's deductions are posted."""

    when_empty = _("还没有企业入账：运行贴息计算后，各企业算到哪一天在此显示。")
    list_display = ("enterprise", "facts_version", "current_version", "is_current", "through")
    heading = ("enterprise",)
    list_select_related = ("enterprise",)
    finance_sees = False
    search_by = (of_enterprise("enterprise_id"),)
    search_help_text = _("统一社会信用代码，或企业名称的开头")

    @display(description=_("当前事实版本"))
    def current_version(self, row: EnterprisePosting) -> int:
        """How often the enterprise's facts have changed by now."""
        return row.enterprise.facts_version

    @display(description=_("已按最新事实入账"), boolean=True)
    def is_current(self, row: EnterprisePosting) -> bool:
        """Nothing was told about the enterprise since."""
        return row.enterprise.facts_version == row.facts_version

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Which terms were in force concerns whoever sees everything."""
        return [*self.list_display, *(["terms_key"] if sees_everything(request) else [])]
