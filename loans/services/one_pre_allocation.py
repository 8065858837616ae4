"""One pre-allocation by itself: stored like a file of one row, in one step of the database.

A treasury tells most of them one at a time. What might be refused, or is known already, goes the way of
files, which says why (`loans.services.intake`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from config.kernel.services import statements
from loans.files.kinds import KINDS
from loans.files.one_row import read_row
from loans.services import locks
from loans.services.outcomes import Outcome, Source
from loans.values.errors import DomainError, bilingual

KIND = "pre-allocations"
_TAKE = """
SELECT institution, batch, taken FROM loans_take_pre_allocation(
    %s::bigint, %s, %s::bigint, %s::bigint, %s, %s, %s, %s, %s::date, %s::bigint, %s, %s, %s, %s)
"""


class Taken(NamedTuple):
    """What was stored, under which key, for which institution."""

    outcome: Outcome
    key: int
    institution_id: int


def readable(*, texts: Mapping[str, str]) -> dict[str, Any] | None:
    """The row's typed values; None if something is wrong with it."""
    return read_row(KINDS[KIND], texts)


def take(*, values: Mapping[str, Any], source: Source) -> Taken | None:
    """Store it with a batch of its own; None, with nothing done, if it is known or names what is unknown.

    Waits for a file of the kind under way. Raises DomainError `intake_busy`, which undoes the whole
    request, if the same document came by another one meanwhile: to wait for that as files do, this one
    would have to give up what it holds.
    """
    lo, hi = source.scope
    ((institution_id, batch_id, key),) = statements.prepared(
        _TAKE,
        [
            locks.INTAKE_LOCK,
            locks.KIND_LOCKS,
            lo,
            hi,
            values["scheme_code"],
            values["institution_code"],
            values["tier"],
            values["purpose"],
            values["received_on"],
            values["amount"],
            values["document_number"],
            source.file_name,
            source.actor,
            source.at,
        ],
    )
    if institution_id is None:
        return None
    if key is None:
        raise DomainError(
            locks.BUSY,
            bilingual(
                "同一文号刚由另一请求登记，请稍后再试",
                "another request has just entered the same document: try again later",
            ),
        )
    return Taken(Outcome(KIND, 1, 1, 0, batch_id), key, institution_id)
