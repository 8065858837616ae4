"""Endpoints whose services refuse by rules: a DomainError is a problem with its own code."""

from __future__ import annotations

from config.kernel.api.codes import CODES
from config.kernel.api.endpoints import Endpoint
from config.kernel.api.problems import Problem
from loans.values.errors import DomainError

# Not the caller's to see or to name; and what is wrong in the request itself.
STATUS = {
    "amount_invalid": 400,
    "not_a_number": 400,
    "too_many_decimals": 400,
    "reason_missing": 400,
}
# True now and perhaps not in a moment: not kept under an Idempotency-Key.
PASSING = frozenset({"intake_busy", "order_open"})


class RuledEndpoint(Endpoint):
    """An endpoint above the kernel."""

    def refusal(self, error: Exception) -> Problem | None:
        """A rule's refusal, 409 unless the request itself was wrong."""
        if isinstance(error, Problem):
            return error
        if not isinstance(error, DomainError):
            return None
        if error.code in PASSING:
            return Problem("busy", error.message, headers={"Retry-After": "1"})
        known = CODES.get(error.code)
        status = known.status if known else STATUS.get(error.code, 409)
        return Problem(error.code, error.message, status=status)
