"""What a person is shown before a step: the row in question, and the entries to be posted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.kernel.admin.sections import Section, link, numbers, texts
from loans.admin.base import in_yuan, scheme_name, yuan
from settlement.admin import wording
from settlement.engine import entries
from settlement.engine.entries import Lines
from settlement.models import Account, Clawback, Fund

DUE = frozenset({Account.TREASURY_ADVANCE, Account.BANK_ADVANCE})  # owed: told as what is owed


def to_be_posted(entries: list[tuple[Any, Any, Lines]]) -> Section:
    """Entries before they are posted: of which tier, for what, both sides."""
    return Section(
        title=_("将入账的分录"),
        columns=[
            *texts(_("资金层级"), _("事项"), _("科目")),
            *numbers(in_yuan(_("借方")), in_yuan(_("贷方"))),
        ],
        rows=[
            (
                tier,
                event,
                Account(line.account).label,
                yuan(line.debit_fen or None),
                yuan(line.credit_fen or None),
            )
            for tier, event, lines in entries
            for line in lines
        ],
    )


def balances(changes: Iterable[tuple[Any, Fund | None, Lines]]) -> Section:
    """What the entries do to each fund's accounts: before, the change, after, each on its own side.

    What is owed to finance or to the bank is told as an amount owed, not as a negative one.
    `changes`: the fund in words, the fund (None: opened by this), its lines.
    """
    rows = []
    for (name, fund), lines in _by_fund(changes).items():
        for account in Account:
            change = entries.net(lines, account)
            if change:
                before = 0 if fund is None else getattr(fund, f"{account}_fen")
                side = -1 if account in DUE else 1
                told = (side * fen for fen in (before, change, before + change))
                rows.append((name, account.label, *map(yuan, told)))
    return Section(
        title=_("入账前后余额"),
        columns=[
            *texts(_("资金"), _("科目")),
            *numbers(in_yuan(_("入账前")), in_yuan(_("变动")), in_yuan(_("入账后"))),
        ],
        rows=rows,
    )


def _by_fund(
    changes: Iterable[tuple[Any, Fund | None, Lines]],
) -> dict[tuple[str, Fund | None], Lines]:
    found: dict[tuple[str, Fund | None], Lines] = {}
    for name, fund, lines in changes:
        found[str(name), fund] = (*found.get((str(name), fund), ()), *lines)
    return found


def fund_name(fund: Fund) -> str:
    """A fund in words: institution, scheme, tier and purpose."""
    names = (fund.institution.name, scheme_name(fund.scheme.code), wording.tier_name(fund.tier))
    return " · ".join([*names, fund.get_purpose_display()])


def fund_in_sight(clawback: Clawback) -> Fund | None:
    """The fund it comes out of; a branch may see the clawback but not the money above it."""
    found = Fund.objects.filter(pk=clawback.fund_id)
    return found.select_related("scheme", "institution").first()


def of_clawback(clawback: Clawback) -> Section:
    """The clawback in question, on one line."""
    fund = fund_in_sight(clawback)
    return Section(
        title=_("追回"),
        columns=[
            *texts(
                _("序号"), _("借据"), _("贴息政策"), _("资金层级"), _("年度"), _("事由"), _("文号"),
                _("经办"),
            ),
            *numbers(in_yuan(_("应追回")), in_yuan(_("尚欠"))),
        ],
        rows=[
            (
                link("settlement_clawback", clawback.pk, clawback),
                link("loans_note", clawback.note_id, clawback.note.note_number),
                fund and scheme_name(fund.scheme.code),
                fund and wording.tier_name(fund.tier),
                clawback.year,
                wording.posting_in_words(clawback.why),
                clawback.document_number,
                clawback.made_by,
                yuan(clawback.amount_fen),
                yuan(clawback.open_fen),
            )
        ],
    )  # fmt: skip
