"""Contracts and shares in them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.filters import LevelFilter
from config.kernel.admin.searching import prefix
from config.kernel.admin.sections import SECTION_ROWS, Column, Section, link, list_address, texts
from loans.admin.base import FactAdmin, in_yuan, percent, with_enterprise_name, yuan
from loans.admin.lookups import of_contract, of_enterprise
from loans.models import Contract, SyndicateShare


def notes(request: HttpRequest, contract: Contract) -> Section:
    """The contract's drawdowns."""
    drawn = contract.notes.select_related("institution").order_by("drawn_on", "pk")
    return Section(
        title=_("借据"),
        columns=[
            *texts(_("借据号"), _("所属机构"), _("放款日期"), _("到期日期"), _("年利率")),
            Column(in_yuan(_("放款金额")), is_number=True),
            Column(in_yuan(_("设备购置金额")), is_number=True),
        ],
        rows=[
            (
                link("loans_note", n.pk, n.note_number),
                n.institution.name,
                n.drawn_on,
                n.matures_on,
                percent(n.rate_ppm),
                yuan(n.principal_fen),
                yuan(n.equipment_fen),
            )
            for n in drawn[:SECTION_ROWS]
        ],
        more=list_address("loans_note", contract__id__exact=contract.pk),
    )


def shares(request: HttpRequest, contract: Contract) -> Section:
    """Who takes part in the contract, and with how much."""
    parts = contract.syndicate_shares.select_related("participant")[:SECTION_ROWS]
    return Section(
        title=_("银团份额"),
        columns=[*texts(_("参贷行")), Column(_("承贷份额"), is_number=True)],
        rows=[(str(part.participant), percent(part.share_ppm)) for part in parts],
    )


@admin.register(Contract)
class ContractAdmin(FactAdmin):
    """Contracts."""

    list_display = (
        "contract_number", "institution_name", "enterprise_name", "signed_on", "loan_type", "amount_yuan",
        "currency", "purpose_field",
    )  # fmt: skip
    list_filter = ("loan_type", LevelFilter)
    list_select_related = ("institution",)
    ordering = ("contract_number", "institution_id")
    search_by = (prefix("contract_number"), of_enterprise("enterprise_id"))
    search_help_text = _("合同号的开头、信用代码、企业名称的开头")
    fields = (
        "contract_number", "institution", "enterprise", "enterprise_name", "signed_on", "loan_type",
        "amount_yuan", "currency", "purpose_field", "project", "batch_link",
    )  # fmt: skip
    sections = (notes, shares)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the enterprise's name."""
        return with_enterprise_name(super().get_queryset(request), "enterprise_id")

    @display(description=_("企业名称"))
    def enterprise_name(self, row: Any) -> str:
        """The latest known name."""
        return str(row.enterprise_name or "")


@admin.register(SyndicateShare)
class SyndicateShareAdmin(FactAdmin):
    """Shares in syndicated contracts."""

    list_display = ("contract", "institution_name", "participant", "share_percent")
    list_select_related = ("contract", "institution", "participant")
    list_filter = (LevelFilter,)
    search_by = (of_contract(),)
    search_help_text = _("合同号的开头")
