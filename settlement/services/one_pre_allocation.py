"""One pre-allocation booked by itself, as soon as it is stored (SME-12, EQ-06, MF-23, ST-16).

The same rules as `pre_allocations` for whatever nothing speaks against: money paid ahead, new, of a tier
that the scheme pays. That much is known before anything is written, so nothing has to be undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from config.kernel.services import statements
from settlement.models import Event
from settlement.services import funds
from settlement.services.funds import Posting
from settlement.services.schemes import terms_in_force

_RECEIPT = """
INSERT INTO settlement_receipt
    (institution_id, pre_allocation_id, made_by, made_at, checked_by, checked_at)
VALUES (%s, %s, %s, %s, %s, %s) RETURNING id
"""


class Ordinary(NamedTuple):
    """What booking it needs to know: the scheme, and the level of institution that keeps its funds."""

    scheme_id: int
    fund_level: str
    tier: str
    purpose: str
    amount_fen: int
    received_on: date
    document_number: str


def ordinary(*, values: Mapping[str, Any]) -> Ordinary | None:
    """The typed values of a row as they are booked; None if they have to be looked at more closely.

    That is what is taken back, since it may be more than its fund has, and what no scheme in force pays.
    """
    book = terms_in_force()
    terms = next((one for one in book.terms if one.code == values["scheme_code"]), None)
    if values["amount"] < 0 or terms is None or values["tier"] not in terms.tiers:
        return None
    return Ordinary(
        book.scheme_ids[terms.code],
        terms.fund_level,
        values["tier"],
        values["purpose"],
        values["amount"],
        values["received_on"],
        values["document_number"],
    )


def book(
    *,
    pre_allocation_id: int,
    institution_id: int,
    what: Ordinary,
    made_by: str,
    checker: str,
    at: datetime,
    scope: tuple[int, int],
) -> bool:
    """Let the stand-in check and book what this transaction stored; False if it waits for a person.

    It waits where the fund is that of an institution above.
    """
    assert checker != made_by, "nobody checks what they told"
    fund = funds.lock_paying(
        place_id=institution_id,
        scope=scope,
        level=what.fund_level,
        scheme_id=what.scheme_id,
        tier=what.tier,
        purpose=what.purpose,
    )
    if fund is None:
        return False
    posting = Posting(
        Event.PRE_ALLOCATION, at.date(), what.document_number, pre_allocation_id, checker
    )
    year = what.received_on.year
    funds.receive_into(fund=fund, amount_fen=what.amount_fen, posting=posting, year=year)
    signed = [institution_id, pre_allocation_id, made_by, at, checker, at]
    statements.prepared(_RECEIPT, signed)
    return True
