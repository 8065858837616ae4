"""Taking back by name: which note and which fund a claim means, as people and finance write it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from loans.values.errors import DomainError, bilingual
from settlement.selectors import clawbacks as selected
from settlement.services import clawbacks
from settlement.services.clawbacks import Claim, Ground


@dataclass(frozen=True)
class Named:
    """A claim by names; without an institution the note's number must be one alone in sight."""

    note_number: str
    institution_code: str
    scheme_code: str
    tier: str
    purpose: str
    year: int
    amount_fen: int


@transaction.atomic
def propose_named(*, named: Named, ground: Ground, actor: str, at: datetime) -> int:
    """Propose it (see `clawbacks.propose`); also DomainError `unknown_note`, `several_notes`, `nothing_paid`."""
    return clawbacks.propose(claim=_claim(named), ground=ground, actor=actor, at=at)


def _claim(named: Named) -> Claim:
    note_id = _note(named)
    asked = (named.scheme_code, named.tier, named.purpose, named.year)
    for one in selected.claimable(note_id=note_id):
        if (one.scheme_code, one.tier, one.purpose, one.year) == asked:
            return Claim(note_id, one.fund_id, one.year, named.amount_fen)
    raise DomainError(
        "nothing_paid",
        bilingual(
            f"该借据 {named.year} 年没有由您可见的这一政策、层级和用途的资金支付过贴息；请核对政策、层级、用途和年度，"
            "资金属上级机构的由其人员办理",
            f"nothing was paid for the note in {named.year} out of this scheme, tier and purpose as"
            " far as you see; check them, or have it done at the institution that holds the money",
        ),
    )


def _note(named: Named) -> int:
    found = selected.notes_named(number=named.note_number, institution_code=named.institution_code)
    if not found:
        raise DomainError(
            "unknown_note",
            bilingual("您的机构范围内没有这笔借据", "no such note in your scope"),
        )
    if len(found) > 1:
        codes = "、".join(one.institution_code for one in found)
        raise DomainError(
            "several_notes",
            bilingual(
                f"多家机构有这个借据号，请填其一：{codes}",
                f"several institutions have a note of that number, name one: {codes}",
            ),
        )
    return found[0].note_id
