"""Random repayments, statuses and interest collections of the notes drawn."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from tests.reference.facts import add_months, yuan
from tests.reference.lending import HORIZON, Loan, add_status, due_on
from tests.reference.parties import Draft

Modes = list[tuple[str, int]]


def draw_cashflows(draft: Draft, loans: list[Loan]) -> None:
    for loan in loans:
        if draft.on("repayments"):
            _repayments(draft, draft.stream(f"repayments/{loan.index}"), loan)
        if draft.on("statuses"):
            _statuses(draft, draft.stream(f"statuses/{loan.index}"), loan)
        _Collecting(draft, loan).draw()


def _repayments(draft: Draft, rng: Random, loan: Loan) -> None:
    """In order of date, the net always between 0 and principal; a reversal undoes all or part."""
    if rng.random() < 0.35:
        return
    on, left, last = loan.drawn_on + timedelta(days=rng.randint(5, 300)), loan.principal, 0
    for n in range(rng.randint(1, 4)):
        if on >= min(loan.matures_on, HORIZON):
            break
        if last > 0 and draft.on("reversals") and rng.random() < 0.4:
            amount, last = -(last if rng.random() < 0.7 else max(last // 3, 1)), 0
        elif left:
            amount = last = max(left * rng.choice((5, 10, 33, 50, 100)) // 100, 1)
        else:
            break
        left -= amount
        _repay(draft, loan, on, amount, n)
        on += timedelta(days=rng.choice((0, 1, 10, 33, 100, 250)))
    if left and loan.matures_on < HORIZON and rng.random() < 0.7:
        _repay(draft, loan, loan.matures_on, left, 99)


def _repay(draft: Draft, loan: Loan, on: date, amount: int, n: int) -> None:
    loan.repaid.append((on, amount))
    draft.add(
        "repayments", **loan.key, repaid_on=on, amount=yuan(amount),
        reference=f"R{loan.index:04d}{n:02d}",
    )  # fmt: skip


def _statuses(draft: Draft, rng: Random, loan: Loan) -> None:
    if rng.random() < 0.75:
        return
    for status in rng.sample(("overdue", "extended", "non_performing"), rng.randint(1, 2)):
        starts_on = loan.drawn_on + timedelta(days=rng.randint(0, 500))
        lasts = rng.choice((1, 5, 30, 100, 300))
        open_ended = rng.random() < 0.2
        ends_on = "" if open_ended else (starts_on + timedelta(days=lasts)).isoformat()
        add_status(draft, loan, status, starts_on, ends_on)


class _Collecting:
    """One note's interest days: monthly or quarterly, to the 21st exclusive."""

    def __init__(self, draft: Draft, loan: Loan) -> None:
        self.draft, self.loan = draft, loan
        self.rng = draft.stream(f"collections/{loan.index}")
        self.prefix = f"{self.rng.choice('QSU')}{loan.index:04d}"
        self.count = 0
        self.start, self.end, self.due = loan.drawn_on, loan.drawn_on, 0

    def draw(self) -> None:
        last = min(self.loan.matures_on, HORIZON)
        if self.rng.random() < 0.15:
            last = min(last, add_months(self.loan.drawn_on, self.rng.randint(1, 12)))
        elif self.loan.matures_on < HORIZON and self.rng.random() < 0.15:
            last = add_months(last, 5)  # maturity by itself stops nothing (D6)
        months = self.rng.choice((1, 3, 3, 3))
        for start, end in periods(self.loan.drawn_on, last, months):
            self.start, self.end = start, end
            if start == self.loan.drawn_on and self.rng.random() < 0.03:
                self.start -= timedelta(days=3)  # days before drawdown do not count (D6)
            if end > date(2025, 12, 1):
                self.due = due_on(self.loan, start, end)
                getattr(self, f"_{self._mode()}")()

    def _mode(self) -> str:
        modes: Modes = [("whole", 60), ("skipped", 2)]
        modes += (
            [("parts", 14), ("unfinished", 3), ("nothing", 1), ("too_much", 2)]
            if self.draft.on("parts")
            else []
        )
        modes += [("reversed", 8)] if self.draft.on("reversals") else []
        modes += [("planned", 9), ("only_planned", 3)] if self.draft.on("plans") else []
        return self.rng.choices([m for m, _ in modes], [weight for _, weight in modes])[0]

    def _row(self, paid: int | None, on: date, *, same_reference: bool = False) -> None:
        self.count += not same_reference
        self.draft.add(
            "interest-collections", **self.loan.key, period_start=self.start,
            period_end=self.end, interest_due=yuan(self.due), collected_on=on,
            interest_paid="" if paid is None else yuan(paid),
            reference=f"{self.prefix}{self.count:04d}",
        )  # fmt: skip

    def _on(
        self, after: date | None = None, choices: tuple[int, ...] = (0, 0, 0, 1, 5, 12)
    ) -> date:
        return (after or self.end) + timedelta(days=self.rng.choice(choices))

    def _part(self) -> int:
        return self.due * self.rng.randint(1, 99) // 100

    def _skipped(self) -> None:
        """Not collected, not planned."""

    def _whole(self) -> None:
        self._row(self.due, self._on())

    def _nothing(self) -> None:
        self._row(0, self._on())

    def _unfinished(self) -> None:
        self._row(self._part(), self._on())

    def _too_much(self) -> None:
        """More in sum than is due; the rows' sum counts for the ceiling, D7 for what is earned."""
        self._row(self._part(), self._on())
        on = self._on(choices=(12, 30))
        self._row(self.due, on)
        if self.rng.random() < 0.5:
            self._row(-self.due, self._on(on, (0, 10)))

    def _parts(self) -> None:
        first, on = self._part(), self._on()
        self._row(first, on)
        on = self._on(on, (0, 0, 7, 40, 120))
        second = self.due - first
        if self.rng.random() < 0.3:
            second = second // 2
            self._row(second, on)
            on, second = self._on(on, (0, 30)), self.due - first - second
        self._row(second, on)

    def _reversed(self) -> None:
        """Paid, taken back in whole or in part, and mostly paid again."""
        paid = self.due if self.rng.random() < 0.6 else self._part()
        on = self._on()
        self._row(paid, on)
        back = paid if self.rng.random() < 0.6 else paid * self.rng.randint(1, 99) // 100
        if not back:
            return
        on = self._on(on, (0, 3, 9, 45))
        self._row(-back, on)
        if self.rng.random() < 0.7:
            self._row(back, self._on(on, (0, 1, 20)))

    def _planned(self) -> None:
        """A plan, completed by a row of the same reference; a rest may come later."""
        self._row(None, self.end)
        paid = self.due if self.rng.random() < 0.7 else self._part()
        on = self._on()
        self._row(paid, on, same_reference=True)
        if paid < self.due and self.rng.random() < 0.5:
            self._row(self.due - paid, self._on(on, (0, 15)))

    def _only_planned(self) -> None:
        self._row(None, self.end)


def periods(first: date, last: date, months: int) -> list[tuple[date, date]]:
    """Half-open periods ending on the 21st of every month, or of March, June, September, December."""
    found, start = [], first
    end = first.replace(day=21)
    while start < last:
        if end > start and (months == 1 or end.month % 3 == 0 or end >= last):
            found.append((start, min(end, last)))
            start = min(end, last)
        end = add_months(end, 1)
    return found
