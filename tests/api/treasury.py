"""A small book of two banks, with the machines that speak about it: a treasury, and a core of each bank."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from django.db import connection

from config.kernel.models import Institution
from settlement.models import Fund, Scheme
from settlement.services import settlements
from settlement.services.settlements import Ask
from tests.api.machine import Machine, department
from tests.integration.book import AT, run
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, TREE, SmallBook

HEAD, ELSEWHERE = TREE[0][0], TREE[2][0]
_numbers = itertools.count(1)


def key() -> str:
    """A key nobody has used yet."""
    return f"test-key-{next(_numbers):012d}"


class Treasury:
    """Scheme `test` at both banks, and another scheme; each bank has a note with two collections of 1,000 yuan."""

    def __init__(self, folder: Path, *, shortfall: str = "advance") -> None:
        self.book = SmallBook(folder)
        self.book.scheme(shortfall=shortfall)
        self.book.scheme(code="other", shortfall=shortfall)
        self.head, self.away = (Institution.objects.get(code=code) for code in (HEAD, ELSEWHERE))
        office = department("F1", self.head, schemes=("test",))
        self.finance = Machine("treasury", office)
        self.core = Machine("core", self.head)
        self.foreign = Machine("foreign-core", self.away)
        _forget_stages()

    def lent(self) -> None:
        """The notes, their collections and the subsidies paid for them."""
        for number, uscc, place in (("A", FIRST, NORTH), ("B", SECOND, SOUTH)):
            self.book.lend(number, uscc, at=place)
            for month in (2, 3):
                self.book.collect(number, month, at=place)
        run()
        _forget_stages()

    def claimed(self, ask: Ask, *, at: Institution | None = None, submitted: bool = True) -> int:
        """A claim of a bank, sent to finance."""
        made = settlements.draft(
            institution_id=(at or self.head).pk,
            scheme_id=Scheme.objects.get(code="test").pk,
            ask=ask,
            needs={},
            actor="maker",
            at=AT,
        )
        assert made is not None
        if submitted:
            settlements.submit(settlement_id=made, actor="checker", at=AT)
        return made

    def fund(self) -> Fund:
        """The first bank's money of the scheme."""
        return Fund.objects.get(institution=self.head, scheme__code="test")


def _forget_stages() -> None:
    """Tables of this transaction belong to the role that made them; the web's role makes its own."""
    with connection.cursor() as cursor:
        cursor.execute("DISCARD TEMP")


def paid(amount: str, document: str, /, **changes: Any) -> dict[str, Any]:
    """A pre-allocation to the first bank."""
    return {
        "scheme_code": "test",
        "institution_code": HEAD,
        "tier": "municipal",
        "received_on": "2026-01-04",
        "amount": amount,
        "document_number": document,
        **changes,
    }
