"""One pre-allocation stored and booked by itself (SME-12, EQ-06, MF-23, ST-16).

The same rules as `pre_allocations` for whatever nothing speaks against: money paid ahead, new, of a tier
that the scheme pays. Nothing is written before it is known to be that, so nothing has to be undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from config.kernel.services import statements
from loans.services import one_pre_allocation
from loans.services.outcomes import Outcome, Source
from settlement.engine.terms import Terms
from settlement.models import Event
from settlement.services import funds
from settlement.services.funds import Posting
from settlement.services.schemes import terms_in_force

_RECEIPT = """
INSERT INTO settlement_receipt
    (institution_id, pre_allocation_id, made_by, made_at, checked_by, checked_at)
VALUES (%s, %s, %s, %s, %s, %s) RETURNING id
"""


class Told(NamedTuple):
    """What became of it: stored under `key`, and booked or waiting for the bank's checker."""

    outcome: Outcome
    key: int
    is_booked: bool


def tell(*, texts: Mapping[str, str], source: Source, checker: str | None) -> Told | None:
    """Store it, and book it where somebody stands in for the bank's checker.

    None, with nothing done, if anything about it is out of the ordinary: then it goes the way of files.
    It waits where the fund is that of an institution above. DomainError `intake_busy`: see `take`.
    """
    values = one_pre_allocation.readable(texts=texts)
    if values is None or values["amount"] < 0:  # what is taken back may be more than the fund has
        return None
    book = terms_in_force()
    terms = next((one for one in book.terms if one.code == values["scheme_code"]), None)
    if terms is None or values["tier"] not in terms.tiers:
        return None
    taken = one_pre_allocation.take(values=values, source=source)
    if taken is None:
        return None
    is_booked = checker is not None and _book(
        taken, values, terms, book.scheme_ids[terms.code], source, checker
    )
    return Told(taken.outcome, taken.key, is_booked)


def _book(
    taken: one_pre_allocation.Taken,
    values: Mapping[str, Any],
    terms: Terms,
    scheme_id: int,
    source: Source,
    checker: str,
) -> bool:
    assert checker != source.actor, "nobody checks what they told"
    fund = funds.lock_paying(
        place_id=taken.institution_id,
        scope=source.scope,
        level=terms.fund_level,
        scheme_id=scheme_id,
        tier=values["tier"],
        purpose=values["purpose"],
    )
    if fund is None:
        return False
    at, year = source.at, values["received_on"].year
    posting = Posting(
        Event.PRE_ALLOCATION, at.date(), values["document_number"], taken.key, checker
    )
    funds.receive_into(fund=fund, amount_fen=values["amount"], posting=posting, year=year)
    signed = [taken.institution_id, taken.key, source.actor, at, checker, at]
    statements.prepared(_RECEIPT, signed)
    return True
