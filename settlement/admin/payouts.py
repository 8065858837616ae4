"""Subsidies paid out instead of netted from the interest."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.filters import LevelFilter, month_of
from loans.admin.base import OfNotesAdmin, in_yuan, scheme_name, yuan
from loans.admin.lookups import of_note
from settlement.admin.deductions import DeductionSchemeFilter
from settlement.models import Payout


@admin.register(Payout)
class PayoutAdmin(OfNotesAdmin):
    """Pay-outs, latest first."""

    list_display = (
        "id", "due_on", "scheme_label", "note", "institution_name", "amount_yuan", "central_yuan",
        "provincial_yuan", "municipal_yuan", "offset_yuan", "account_name", "account_number",
        "bank_name", "sequence",
    )  # fmt: skip
    list_filter = (DeductionSchemeFilter, month_of("due_on"), LevelFilter)
    list_select_related = ("institution", "note", "scheme", "agreement")
    sortable_by = ()
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")

    @display(description=_("贴息政策"))
    def scheme_label(self, row: Payout) -> str:
        """The scheme's name."""
        return scheme_name(row.scheme.code)

    @display(description=in_yuan(_("应拨付")))
    def amount_yuan(self, row: Payout) -> Any:
        """What is paid out, all tiers."""
        return yuan(row.amount_fen)

    @display(description=_("收款户名"))
    def account_name(self, row: Payout) -> str:
        """Whose account it goes to."""
        return row.agreement.account_name

    @display(description=_("收款账号"))
    def account_number(self, row: Payout) -> str:
        """Which account it goes to."""
        return row.agreement.account_number

    @display(description=_("开户行"))
    def bank_name(self, row: Payout) -> str:
        """Where the account is."""
        return row.agreement.bank_name
