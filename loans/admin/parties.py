"""Enterprises, what is known of them, projects, and codes confirmed by two people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.checking import CheckedForAllAdmin
from config.kernel.admin.filters import YesNoFilter
from config.kernel.admin.searching import exact, prefix
from config.kernel.admin.sections import (
    SECTION_ROWS,
    Button,
    Column,
    MakeSection,
    Section,
    link,
    list_address,
    texts,
)
from config.kernel.admin.waiting import WAITING, unchecked
from loans.admin.base import (
    FactAdmin,
    RegistryAdmin,
    in_yuan,
    own_language,
    with_enterprise_name,
    yuan,
)
from loans.admin.chosen import each, shown_first
from loans.admin.contacts import contacts, enter_contact
from loans.admin.fields import ReasonField
from loans.admin.lookups import of_enterprise
from loans.admin.steps import AnswerForm, StepsAdmin
from loans.models import (
    ALWAYS,
    Enterprise,
    EnterpriseRecord,
    EnterpriseTitle,
    Project,
    UsccConfirmation,
)
from loans.services.checking import check_confirmation, refuse_confirmation

ENTERPRISE_SECTIONS: list[MakeSection] = []  # apps above this one add theirs, shown first


def since(record: EnterpriseRecord) -> Any:
    """From when the record is in force."""
    return _("始终") if record.valid_from == ALWAYS else record.valid_from


def records(request: HttpRequest, enterprise: Enterprise) -> Section:
    """What is known of the enterprise, latest first."""
    known = enterprise.records.order_by("-valid_from")[:SECTION_ROWS]
    return Section(
        title=_("企业信息"),
        columns=texts(
            _("生效日期"), _("企业名称"), _("登记地"), _("行业代码"), _("企业规模"), _("所有制"),
            _("环保信用评价"), _("纳税信用等级"), _("失信被执行人"),
        ),
        rows=[
            (
                since(r), r.name, r.region_code, r.industry_code, r.get_size_display(),
                r.get_ownership_display(), r.get_environment_rating_display(), r.tax_rating,
                _("是") if r.dishonest else _("否"),
            )
            for r in known
        ],
    )  # fmt: skip


def titles(request: HttpRequest, enterprise: Enterprise) -> Section:
    """The enterprise's titles."""
    return Section(
        title=_("企业称号"),
        columns=texts(_("称号"), _("有效期起"), _("有效期止")),
        rows=[
            (title.get_title_display(), title.valid_from, title.valid_to)
            for title in enterprise.titles.order_by("valid_from")[:SECTION_ROWS]
        ],
    )


def projects(request: HttpRequest, enterprise: Enterprise) -> Section:
    """The enterprise's projects."""
    return Section(
        title=_("项目"),
        columns=texts(_("项目代码"), _("项目名称"), _("项目归属地")),
        rows=[
            (link("loans_project", p.pk, p.project_code), p.name, p.region_code)
            for p in enterprise.projects.order_by("project_code")[:SECTION_ROWS]
        ],
    )


def contracts(request: HttpRequest, enterprise: Enterprise) -> Section:
    """The enterprise's contracts within the person's scope."""
    own = enterprise.contracts.select_related("institution").order_by("-signed_on", "pk")
    return Section(
        title=_("合同"),
        columns=[
            *texts(_("合同号"), _("机构"), _("签订日期"), _("贷款类型")),
            Column(in_yuan(_("合同金额")), is_number=True),
        ],
        rows=[
            (
                link("loans_contract", c.pk, c.contract_number),
                c.institution.name,
                c.signed_on,
                c.get_loan_type_display(),
                yuan(c.amount_fen),
            )
            for c in own[:SECTION_ROWS]
        ],
        more=list_address("loans_contract", q=enterprise.uscc),
    )


@admin.register(Enterprise)
class EnterpriseAdmin(RegistryAdmin):
    """Enterprises."""

    enterprise = ""
    ordering = ("uscc",)
    list_display = ("uscc", "enterprise_name", "facts_version")
    search_by = (exact("uscc"), of_enterprise("pk"))
    search_help_text = _("统一社会信用代码，或企业名称的开头")
    fields = ("uscc", "enterprise_name", "facts_version")

    class Media:
        css = {"all": ["loans/life.css"]}

    @property
    def sections(self) -> list[MakeSection]:  # type: ignore[override]
        """What other apps have to say, as of now, then the registry."""
        return [*ENTERPRISE_SECTIONS, records, titles, contacts, projects, contracts]

    def row_buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """Say where it is told."""
        return [*super().row_buttons(request, row), *enter_contact(request, row)]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the latest name."""
        return with_enterprise_name(super().get_queryset(request), "pk")

    @display(description=_("企业名称"))
    def enterprise_name(self, row: Any) -> str:
        """The latest known name."""
        return str(row.enterprise_name or "")


@admin.register(EnterpriseRecord)
class EnterpriseRecordAdmin(RegistryAdmin):
    """What is known of enterprises, dated."""

    list_display = (
        "enterprise", "name", "in_force", "region_code", "industry_code", "size", "ownership",
        "environment_rating", "tax_rating", "dishonest",
    )  # fmt: skip
    list_filter = ("size", "ownership", "environment_rating", "tax_rating", "dishonest")
    list_select_related = ("enterprise",)
    search_by = (of_enterprise("enterprise_id"),)
    search_help_text = _("统一社会信用代码，或企业名称的开头")

    def shown_columns(self) -> list[str]:
        """The first day in words."""
        return ["in_force" if name == "valid_from" else name for name in super().shown_columns()]

    @display(description=_("生效日期"), ordering="valid_from")
    def in_force(self, row: EnterpriseRecord) -> Any:
        """From when."""
        return since(row)


@admin.register(EnterpriseTitle)
class EnterpriseTitleAdmin(RegistryAdmin):
    """Titles of enterprises."""

    list_display = ("enterprise", "enterprise_name", "title", "valid_from", "valid_to")
    list_filter = ("title",)
    list_select_related = ("enterprise",)
    search_by = (of_enterprise("enterprise_id"),)
    search_help_text = _("统一社会信用代码，或企业名称的开头")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the latest name."""
        return with_enterprise_name(super().get_queryset(request), "enterprise_id")

    @display(description=_("企业名称"))
    def enterprise_name(self, row: Any) -> str:
        """The latest known name."""
        return str(row.enterprise_name or "")


@admin.register(Project)
class ProjectAdmin(RegistryAdmin):
    """Projects."""

    ordering = ("project_code",)
    list_display = ("project_code", "name", "enterprise", "region_code")
    list_select_related = ("enterprise",)
    search_by = (prefix("project_code"), prefix("name"), of_enterprise("enterprise_id"))
    search_help_text = _("项目代码或名称的开头、信用代码、企业名称的开头")


class CheckedFilter(YesNoFilter):
    """Checked by a second person or not."""

    title = _("已复核")
    parameter_name = "checked"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows checked, or waiting."""
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(checked_by__isnull=self.value() == "no")


def confirmation_changes(request: HttpRequest, row: UsccConfirmation) -> Section:
    """What the check changes: the rule that is set aside, before and after."""
    waits = row.checked_by is None and row.refused_by is None
    return Section(
        title=_("复核前后"),
        columns=texts(_("要素"), _("复核前"), _("复核后")),
        rows=[(_("含该代码的文件"), _("校验位不符，整个文件拒收"), _("按真实代码接收"))]
        if waits
        else [],
    )


class _OfCode(AnswerForm):
    """A second person answers for a code that one says is real."""

    is_for_all = True

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Made by another, neither checked nor refused."""
        return row.refused_by is None and super().fits(request, row)

    def sections(self) -> list[Section]:
        """The code, who says so and why, and what the check changes."""
        row: UsccConfirmation = self.row
        place = gettext("全部机构") if row.institution is None else row.institution.name
        said = Section(
            title=_("待确认的代码"),
            columns=texts(_("统一社会信用代码"), _("机构"), _("原因"), _("经办"), _("时间")),
            rows=[(row.uscc, place, own_language(row.reason), row.made_by, row.at)],
        )
        return [said, confirmation_changes(self.request, row)]


class CheckCode(_OfCode):
    """A second person takes the code for real."""

    title = _("复核通过")
    icon = "check"
    note = _("通过后，含该代码的文件按真实代码接收，对全部机构有效。不能复核本人确认的代码。")
    done = _("已复核")

    def act(self, *, actor: str, at: datetime) -> None:
        """Check it."""
        check_confirmation(confirmation_id=self.row.pk, actor=actor, at=at)


class RefuseCode(_OfCode):
    """A second person does not take the code for real."""

    title = _("退回")
    icon = "undo"
    note = _("退回后，含该代码的文件仍整个拒收；核实后可再次导入并确认。")
    done = _("已退回")

    why = ReasonField()

    def act(self, *, actor: str, at: datetime) -> None:
        """Refuse it."""
        why = self.cleaned_data["why"]
        refuse_confirmation(confirmation_id=self.row.pk, why=why, actor=actor, at=at)


@admin.register(UsccConfirmation)
class UsccConfirmationAdmin(StepsAdmin, CheckedForAllAdmin, FactAdmin):
    """Codes that fail their check character; a second person checks or refuses them here."""

    is_short = True
    when_empty = _("没有待确认的信用代码；校验位不符的代码在导入时说明理由后，由另一人在此复核。")
    list_display = (
        "uscc", "institution_name", "reason_words", "made_by", "at", "checked_by", "checked_at",
        "refused_by", "refused_why",
    )  # fmt: skip
    list_filter = (CheckedFilter,)
    list_select_related = ("institution",)
    row_steps = {"check": CheckCode, "refuse": RefuseCode}
    finance_sees = False
    search_by = (exact("uscc"), exact("made_by"))
    search_help_text = _("统一社会信用代码或经办人")
    sections = (confirmation_changes,)

    @admin.action(description=_("复核通过"), permissions=["check"])
    def pass_check(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Show what they say and what the check changes, then check the chosen rows."""
        first = shown_first(request, self, queryset, CheckCode)
        if first is not None:
            return first
        actor, at = request.user.get_username(), timezone.localtime()

        def step(key: int) -> None:
            check_confirmation(confirmation_id=key, actor=actor, at=at)

        return each(request, self, queryset, step)

    @display(description=_("原因"))
    def reason_words(self, row: UsccConfirmation) -> str:
        """Why it is real, in the reader's language where the machine said so."""
        return own_language(row.reason)


WAITING.append(
    unchecked(
        "usccs",
        "loans.usccconfirmation",
        _("信用代码确认"),
        is_for_all=True,
        checked_by=None,
        refused_by=None,
    )
)
