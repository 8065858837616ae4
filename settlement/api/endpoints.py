"""What endpoints of money share: a department's own schemes, and refusals that point into the body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from django.db import models

from config.kernel.api.problems import Fault, Problem
from loans.api.endpoints import RuledEndpoint
from loans.values.money import yuan_from_fen
from settlement.services.funds import InsufficientFunds

_Row = TypeVar("_Row", bound=models.Model)
NOT_FINANCE = "只有财政部门的客户端可以办理 / only a client of a finance department does this"
NOT_YOURS = "未知的政策，或不由贵部门主管 / unknown scheme, or not your department's"


class MoneyEndpoint(RuledEndpoint):
    """`pointers`: refusals by rules, by code, and what of the body each is about. `wrong`: those that are 422."""

    pointers: ClassVar[Mapping[str, str]] = {}
    wrong: ClassVar[frozenset[str]] = frozenset()

    def refusal(self, error: Exception) -> Problem | None:
        """A rule's refusal, with the place in the body, and of a fund what it has."""
        problem = super().refusal(error)
        if problem is None or problem is error:
            return problem
        if problem.code in self.wrong:
            problem.status = 422
        if problem.code in self.pointers:
            pointer = self.pointers[problem.code]
            problem.faults = [Fault(pointer, problem.code, problem.message)]
        if isinstance(error, InsufficientFunds):
            problem.more = {"available": yuan_from_fen(error.available_fen)}
        return problem

    def of_own_schemes(self, rows: models.QuerySet[_Row], path: str) -> models.QuerySet[_Row]:
        """Rows of the schemes that answer to the caller; a bank sees all of its own."""
        codes = self.caller.scheme_codes
        return rows if codes is None else rows.filter(**{f"{path}__in": sorted(codes)})

    def require_own_scheme(self, code: str) -> None:
        """Refuse another department's scheme in a body."""
        codes = self.caller.scheme_codes
        if codes is not None and code not in codes:
            fault = Fault("/scheme_code", "unknown_reference", NOT_YOURS, code)
            raise Problem("refused_content", faults=[fault])

    def require_finance(self) -> None:
        """Refuse clients of banks: finance decides and demands, the bank answers."""
        if self.caller.client.department is None:
            raise Problem("not_permitted", NOT_FINANCE)


def narrowed(
    rows: models.QuerySet[_Row], asked: Mapping[str, Any], lookups: Mapping[str, str]
) -> models.QuerySet[_Row]:
    """The rows that fit the query's filters; `lookups`: parameter → what it is compared with."""
    chosen = {lookups[name]: value for name, value in asked.items() if name in lookups}
    return rows.filter(**chosen)
