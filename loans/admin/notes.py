"""Notes: the page everything about one drawdown hangs on, and the tables of what belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.filters import LevelFilter, YesNoFilter, month_of
from config.kernel.admin.searching import exact, prefix
from config.kernel.admin.sections import (
    SECTION_ROWS,
    Button,
    Column,
    MakeSection,
    Section,
    link,
    list_address,
    numbers,
    texts,
)
from loans.admin.base import FactAdmin, SchemeFilter, in_yuan, percent, with_enterprise_name, yuan
from loans.admin.lookups import of_contract, of_enterprise, of_note
from loans.models import (
    EquipmentInvoice,
    Guarantee,
    Note,
    NoteStatus,
    NoteTransfer,
    PayoutAgreement,
)
from loans.values.money import EXCHANGE_DECIMALS, scaled_text

NOTE_SECTIONS: list[MakeSection] = []  # apps above this one add theirs, shown before the facts
NOTE_BUTTONS: list[Callable[[HttpRequest, Note], list[Button]]] = []  # the same


def statuses(request: HttpRequest, note: Note) -> Section:
    """Days on which the note was not in order."""
    return Section(
        title=_("借据状态"),
        columns=texts(_("状态"), _("起始日"), _("结束日（不含）")),
        rows=[
            (s.get_status_display(), s.starts_on, s.ends_on or _("持续中"))
            for s in note.statuses.order_by("starts_on")[:SECTION_ROWS]
        ],
    )


def repayments(request: HttpRequest, note: Note) -> Section:
    """Principal repaid."""
    return Section(
        title=_("还本"),
        columns=[
            *texts(_("还本日期"), _("流水号")),
            Column(in_yuan(_("还本金额")), is_number=True),
        ],
        rows=[
            (r.repaid_on, link("loans_repayment", r.pk, r.reference), yuan(r.amount_fen))
            for r in note.repayments.order_by("repaid_on", "pk")[:SECTION_ROWS]
        ],
    )


def collections(request: HttpRequest, note: Note) -> Section:
    """Interest collected or planned."""
    found = note.collections.order_by("period_start", "pk")[:SECTION_ROWS]
    return Section(
        title=_("收息"),
        columns=[
            *texts(_("计息起日"), _("计息止日（不含）"), _("收息日"), _("流水号")),
            *numbers(in_yuan(_("应收利息")), in_yuan(_("实收利息"))),
        ],
        rows=[
            (
                c.period_start,
                c.period_end,
                c.collected_on,
                link("loans_interestcollection", c.pk, c.reference),
                yuan(c.interest_due_fen),
                _("计划") if c.interest_paid_fen is None else yuan(c.interest_paid_fen),
            )
            for c in found
        ],
        more=list_address("loans_interestcollection", q=note.note_number),
    )


def guarantees(request: HttpRequest, note: Note) -> Section:
    """Guarantees of the note."""
    return Section(
        title=_("担保"),
        columns=[
            *texts(_("担保合同号"), _("担保机构"), _("起始日"), _("结束日")),
            Column(_("担保费率"), is_number=True),
            Column(in_yuan(_("担保本金")), is_number=True),
        ],
        rows=[
            (
                link("loans_guarantee", g.pk, g.guarantee_number),
                g.guarantor,
                g.starts_on,
                g.ends_on,
                percent(g.fee_rate_ppm),
                yuan(g.principal_fen),
            )
            for g in note.guarantees.order_by("starts_on", "guarantee_number")[:SECTION_ROWS]
        ],
    )


def invoices(request: HttpRequest, note: Note) -> Section:
    """Invoices of the equipment bought."""
    return Section(
        title=_("设备发票"),
        columns=[
            *texts(_("发票号码"), _("开票日期"), _("设备编号"), _("供应商")),
            Column(in_yuan(_("金额")), is_number=True),
        ],
        rows=[
            (i.invoice_number, i.issued_on, i.serial_number, i.supplier, yuan(i.amount_fen))
            for i in note.invoices.order_by("issued_on", "pk")[:SECTION_ROWS]
        ],
    )


class StatusFilter(YesNoFilter):
    """Was the note ever overdue, extended or non-performing?"""

    title = _("有逾期、展期或不良")
    parameter_name = "irregular"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Notes with, or without, such days."""
        if self.value() not in ("yes", "no"):
            return queryset
        ever = Exists(NoteStatus.objects.filter(note=OuterRef("pk")))
        return queryset.filter(ever if self.value() == "yes" else ~ever)


class NoteSchemeFilter(SchemeFilter):
    """By policy the note is labelled with."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Notes with that label."""
        code = self.value()
        return queryset.filter(scheme_codes__contains=[code]) if code else queryset


@admin.register(Note)
class NoteAdmin(FactAdmin):
    """Notes."""

    list_display = (
        "note_number", "institution_name", "enterprise_name", "contract", "drawn_on", "matures_on",
        "principal_yuan", "equipment_yuan", "rate_percent", "scheme_labels",
    )  # fmt: skip
    list_filter = (
        NoteSchemeFilter,
        StatusFilter,
        "contract__loan_type",
        LevelFilter,
        month_of("drawn_on"),
    )
    list_select_related = ("institution", "contract")
    ordering = ("origin_id", "note_number")
    search_by = (prefix("note_number"), of_contract(), of_enterprise("contract__enterprise_id"))
    search_help_text = _("借据号、合同号的开头，信用代码，企业名称的开头")
    fieldsets = (
        (
            _("借据"),
            {
                "fields": (
                    ("note_number", "institution"), ("drawn_on", "matures_on"),
                    ("principal_yuan", "equipment_yuan"), ("rate_percent", "exchange_rate"),
                    ("scheme_labels", "origin"),
                )
            },
        ),
        (
            _("合同与企业"),
            {
                "fields": (
                    ("contract", "signed_on"), ("loan_type", "contract_yuan"),
                    ("purpose_field", "project"), ("enterprise", "enterprise_name"),
                )
            },
        ),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With contract, enterprise and its name."""
        rows = with_enterprise_name(super().get_queryset(request), "contract__enterprise_id")
        return rows.select_related("institution", "contract")

    def get_sections(self) -> list[MakeSection]:
        """Judgements and deductions first, then the facts."""
        return [*NOTE_SECTIONS, collections, repayments, statuses, guarantees, invoices]

    @property
    def sections(self) -> list[MakeSection]:  # type: ignore[override]
        """As `get_sections`: other apps may have added theirs since."""
        return self.get_sections()

    def row_buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """What other apps offer."""
        return [button for make in NOTE_BUTTONS for button in make(request, row)]

    @display(description=_("企业名称"))
    def enterprise_name(self, row: Any) -> str:
        """The latest known name."""
        return str(row.enterprise_name or "")

    @display(description=_("折算汇率"))
    def exchange_rate(self, row: Note) -> str:
        """CNY per unit of the loan's currency."""
        return scaled_text(row.exchange_rate_e8, decimals=EXCHANGE_DECIMALS)

    @display(description=_("签订日期"))
    def signed_on(self, row: Note) -> Any:
        """When the contract was signed."""
        return row.contract.signed_on

    @display(description=_("贷款类型"))
    def loan_type(self, row: Note) -> Any:
        """The contract's kind of loan."""
        return row.contract.get_loan_type_display()

    @display(description=in_yuan(_("合同金额")))
    def contract_yuan(self, row: Note) -> Any:
        """The contract's amount."""
        return yuan(row.contract.amount_fen)

    @display(description=_("投向领域"))
    def purpose_field(self, row: Note) -> str:
        """The field the money goes to."""
        return row.contract.purpose_field

    @display(description=_("项目"))
    def project(self, row: Note) -> Any:
        """The project financed."""
        project = row.contract.project
        return None if project is None else link("loans_project", project.pk, project)

    @display(description=_("统一社会信用代码"))
    def enterprise(self, row: Note) -> Any:
        """The borrower."""
        return link("loans_enterprise", row.contract.enterprise_id, row.contract.enterprise.uscc)


@admin.register(NoteStatus)
class NoteStatusAdmin(FactAdmin):
    """Stretches of days on which notes were not in order."""

    list_display = ("note", "institution_name", "status", "starts_on", "ends_on")
    list_filter = ("status", LevelFilter, month_of("starts_on"))
    list_select_related = ("note", "institution")
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")


@admin.register(EquipmentInvoice)
class EquipmentInvoiceAdmin(FactAdmin):
    """Invoices of equipment."""

    list_display = (
        "invoice_number", "note", "institution_name", "issued_on", "amount_yuan", "serial_number", "supplier",
    )  # fmt: skip
    list_filter = (LevelFilter, month_of("issued_on"))
    list_select_related = ("note", "institution")
    search_by = (of_note(), prefix("invoice_number"), exact("serial_number"))
    search_help_text = _("借据号或发票号码的开头、设备编号")


@admin.register(PayoutAgreement)
class PayoutAgreementAdmin(FactAdmin):
    """Notes whose subsidies are paid out, and to which account."""

    list_display = (
        "note", "institution_name", "scheme_label", "valid_from", "valid_to", "account_name",
        "account_number", "bank_name", "reason",
    )  # fmt: skip
    list_filter = (LevelFilter, month_of("valid_from"))
    list_select_related = ("institution", "note")
    search_by = (of_note(), prefix("account_number"))
    search_help_text = _("借据号或收款账号的开头")


@admin.register(Guarantee)
class GuaranteeAdmin(FactAdmin):
    """Guarantees of notes."""

    list_display = (
        "guarantee_number", "note", "institution_name", "guarantor", "principal_yuan", "starts_on", "ends_on",
        "fee_rate_percent",
    )  # fmt: skip
    list_filter = (LevelFilter, month_of("starts_on"))
    list_select_related = ("note", "institution")
    search_by = (of_note(), prefix("guarantee_number"))
    search_help_text = _("借据号或担保合同号的开头")


@admin.register(NoteTransfer)
class NoteTransferAdmin(FactAdmin):
    """Notes that moved to another institution."""

    list_display = ("note", "moved_on", "institution_name", "new_institution")
    list_filter = (LevelFilter, month_of("moved_on"))
    list_select_related = ("note", "institution", "new_institution")
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")
