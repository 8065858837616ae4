"""Notes: the page everything about one drawdown hangs on, and the tables of what belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin import ModelAdmin, display
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.filters import LevelFilter, YesNoFilter, month_of
from config.kernel.admin.searching import exact, prefix
from config.kernel.admin.sections import Button, MakeSection, link
from loans.admin.base import FactAdmin, SchemeFilter, in_yuan, with_enterprise_name, yuan
from loans.admin.label_forms import Label, Unlabel
from loans.admin.labelling import LabellingAdmin
from loans.admin.lookups import of_borrower, of_contract, of_note
from loans.admin.steps import StepsAdmin
from loans.admin.timeline import shown, timeline
from loans.models import (
    EquipmentInvoice,
    Guarantee,
    Note,
    NoteStatus,
    NoteTransfer,
    PayoutAgreement,
)
from loans.values.money import EXCHANGE_DECIMALS, scaled_text

NOTE_SECTIONS: list[MakeSection] = []  # apps above this one add theirs, shown before the timeline
NOTE_BUTTONS: list[Callable[[HttpRequest, Note], list[Button]]] = []  # the same


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
    """By policy the note is labelled with, or by having no label at all."""

    unlabelled = "-"  # no scheme's code begins like this

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Sequence[Any]:
        """Every registered policy, and none."""
        return [*super().lookups(request, model_admin), (self.unlabelled, _("无标签"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Notes with that label."""
        code = self.value()
        if code == self.unlabelled:
            return queryset.filter(scheme_codes=[])
        return queryset.filter(scheme_codes__contains=[code]) if code else queryset


@admin.register(Note)
class NoteAdmin(LabellingAdmin, StepsAdmin, FactAdmin):
    """Notes."""

    list_steps = {"label": Label, "unlabel": Unlabel}

    list_display = (
        "note_number", "institution_name", "enterprise_name", "drawn_on", "matures_on",
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
    ordering = ("note_number", "origin_id")
    change_form_after_template = "loans/note.html"
    search_by = (prefix("note_number"), of_contract(), of_borrower())
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

    class Media:
        css = {"all": ["loans/life.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With contract, enterprise and its name."""
        whole: QuerySet[Any] = super().get_queryset(request)
        rows = with_enterprise_name(whole, "contract_id", of="enterprise__contracts")
        return rows.select_related("institution", "contract__enterprise", "contract__project")

    @property
    def sections(self) -> list[MakeSection]:  # type: ignore[override]
        """What other apps have to say, as of now: they may have added theirs since."""
        return NOTE_SECTIONS

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page, with a page of the note's life."""
        row = self.row(request, object_id) if object_id and request.method == "GET" else None
        life = {} if row is None else {"timeline": shown(timeline(request, cast("Note", row)))}
        return super().changeform_view(
            request, object_id, form_url, {**life, **(extra_context or {})}
        )

    def row_buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """Its labels, and what other apps offer."""
        labels = [
            Button(form.title, f"{reverse(f'admin:loans_note_{name}')}?notes={row.pk}", form.icon)
            for name, form in self.list_steps.items()
            if form.may(request)
        ]
        return [*labels, *(button for make in NOTE_BUTTONS for button in make(request, row))]

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
