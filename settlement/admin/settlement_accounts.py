"""A settlement's figures as accounts that the reader can add up again."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.sections import Section, link, numbers, texts
from loans.admin.base import in_yuan, yuan
from settlement.admin import wording
from settlement.models import Settlement, SettlementItem

ACCOUNTS: tuple[tuple[Any, tuple[tuple[str, str], ...]], ...] = (
    (_("专户资金"), (
        ("", "opening_fen"), ("＋", "received_fen"), ("－", "used_fen"), ("＋", "clawed_back_fen"),
        ("＋", "made_good_fen"), ("－", "returned_fen"), ("＋", "gap_fen"), ("＝", "surplus_fen"),
        ("", "carry_over_fen"),
    )),
    (_("申报"), (
        ("", "used_fen"), ("＋", "adjusted_fen"), ("－", "clawback_decided_fen"),
        ("＝", "claimed_fen"), ("－", "disallowed_fen"), ("＝", "approved_fen"),
    )),
    (_("应收追回"), (
        ("", "receivable_opening_fen"), ("－", "adjusted_fen"), ("＋", "clawback_decided_fen"),
        ("＋", "clawback_settled_fen"), ("－", "clawed_back_fen"), ("－", "written_off_fen"),
        ("＝", "receivable_fen"),
    )),
    (_("下年"), (("", "next_year_need_fen"),)),
)  # fmt: skip
"""Accounts whose lines add up to those marked ＝, as the table's own constraints hold."""


def items(request: HttpRequest, settlement: Settlement) -> Section:
    """The settlement, a column for each tier and purpose: every figure that enters a result, to be re-added."""
    own = settlement.items.select_related("fund", "settlement").order_by("fund__purpose", "pk")
    found = list(own)
    heads = [f"{wording.tier_name(i.fund.tier)} {i.fund.get_purpose_display()}" for i in found]
    lines = [
        (account, *(_strong(one, sign) for one in (_marked(sign, name), *amounts)))
        for account, names in ACCOUNTS
        for sign, name in names
        for amounts in [[yuan(getattr(item, name)) for item in found]]
    ]
    details = [link("settlement_settlementitem", item.pk, _("查看")) for item in found]
    return Section(
        title=_("按资金层级"),
        columns=[*texts(_("账目"), _("项目")), *numbers(*heads)],
        rows=[*lines, (_("明细"), "", *details)] if found else [],
    )


def _strong(text: Any, sign: str) -> Any:
    """What a column comes to stands out."""
    return text if text is None or sign != "＝" else format_html("<strong>{}</strong>", text)


def _marked(sign: str, name: str) -> Any:
    """Added, taken off, or what it comes to, and what it is."""
    if name == "carry_over_fen":
        title = _("结转下期（结余－缺口；清算不结转结余）")
    else:
        title = getattr(SettlementItem, name).field.verbose_name
    return f"{sign}{in_yuan(title)}"
