"""What a person is shown before a step: the row in question, and the entries to be posted."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from config.kernel.admin.sections import Section, link, numbers, texts
from loans.admin.base import in_yuan, scheme_name, yuan
from settlement.admin import wording
from settlement.engine.entries import Lines
from settlement.models import Account, Clawback, Fund


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


def fund_in_sight(clawback: Clawback) -> Fund | None:
    """The fund it comes out of; a branch may see the clawback but not the money above it."""
    return Fund.objects.filter(pk=clawback.fund_id).select_related("scheme").first()


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
