"""Random contracts and notes, with what befalls them: repayments, statuses, interest collections.

Every row keeps the importer's rules: equipment ≤ principal, maturity after drawdown, period end
after start, paid ≤ due per row, repayments netting between 0 and principal at every date.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from random import Random

from tests.reference.facts import Row, add_months, half_up, yuan
from tests.reference.parties import Draft, Enterprise
from tests.reference.terms import EQUIPMENT, LIST_A, LIST_B, MANUFACTURING, SME, SPORTS

HORIZON = date(2028, 12, 21)
INTENTS = {
    "sme": [[SME], [SME], [SME, MANUFACTURING], [SME, EQUIPMENT], [EQUIPMENT, SME, MANUFACTURING]],
    "equipment": [[EQUIPMENT], [EQUIPMENT], [EQUIPMENT, MANUFACTURING], [SME, EQUIPMENT]],
    "manufacturing": [[MANUFACTURING], [MANUFACTURING], [MANUFACTURING, SME], [EQUIPMENT, MANUFACTURING]],
    "sports": [[SPORTS], [SPORTS], [SPORTS], [SPORTS, MANUFACTURING], [MANUFACTURING, SPORTS], [SME, SPORTS]],
}  # fmt: skip
LOAN_TYPES = {
    SME: ("fixed_asset", "policy_instrument"),
    EQUIPMENT: ("fixed_asset", "tech_innovation"),
    MANUFACTURING: ("project", "fixed_asset", "policy_instrument"),
    SPORTS: ("project", "fixed_asset", "working_capital"),
}
ALL_LOAN_TYPES = (
    "fixed_asset",
    "project",
    "working_capital",
    "policy_instrument",
    "tech_innovation",
)
NOTE_FLAWS = (
    "loan_type", "purpose", "no_equipment", "drawn_early", "drawn_late", "signed_early", "rate",
    "overdue", "other_bank",
)  # fmt: skip


@dataclass
class Loan:
    """A note being drawn, in numbers, beside its row."""

    index: int
    enterprise: Enterprise
    row: Row
    drawn_on: date
    matures_on: date
    principal: int
    fx: Fraction
    rate: Fraction
    repaid: list[tuple[date, int]] = field(default_factory=list)

    @property
    def key(self) -> Row:
        return {k: self.row[k] for k in ("institution_code", "note_number")}

    def balance_on(self, on: date) -> int:
        return self.principal - sum(amount for day, amount in self.repaid if day <= on)


def draw_loans(draft: Draft) -> list[Loan]:
    rng = draft.stream("loans")
    loans: list[Loan] = []
    numbers: set[tuple[str, str]] = set()
    for index in range(draft.size):
        flaw = rng.choice(NOTE_FLAWS) if draft.on("flaws") and rng.random() < 0.22 else ""
        enterprise = rng.choice(draft.enterprises)
        earlier = [loan for loan in loans if loan.enterprise is enterprise]
        if earlier and not flaw and rng.random() < 0.25:
            contract = _contract_of(draft, earlier[-1])
        else:
            contract = _contract(draft, rng, enterprise, index, flaw)
        loan = _note(draft, rng, enterprise, contract, index, flaw, numbers)
        if flaw == "overdue":
            _make_overdue(draft, rng, loan, earlier)
        loans.append(loan)
    return loans


def _contract_of(draft: Draft, loan: Loan) -> Row:
    return next(
        r
        for r in draft.rows["contracts"]
        if r["institution_code"] == loan.row["institution_code"]
        and r["contract_number"] == loan.row["contract_number"]
    )


def _contract(draft: Draft, rng: Random, enterprise: Enterprise, index: int, flaw: str) -> Row:
    intent = rng.choice(INTENTS[enterprise.profile])
    fitting = [t for t in ALL_LOAN_TYPES if all(t in LOAN_TYPES[code] for code in intent)]
    loan_type = rng.choice(ALL_LOAN_TYPES if flaw == "loan_type" else fitting or LOAN_TYPES[SPORTS])
    head = enterprise.home
    if flaw == "other_bank" or rng.random() < 0.15:
        head = rng.choice(list(draft.branches))
    signed_on = date(2026, 1, 1) + timedelta(days=rng.randrange(330))
    if flaw == "signed_early":
        signed_on = date(2025, 12, 31) - timedelta(days=rng.randrange(40))
    elif flaw == "drawn_early" or (intent == [MANUFACTURING] and rng.random() < 0.3):
        signed_on = date(2024, 6, 1) + timedelta(days=rng.randrange(500))
    currency = rng.choice(("USD", "JPY")) if draft.on("foreign") and rng.random() < 0.1 else "CNY"
    row = draft.add(
        "contracts", institution_code=rng.choice(draft.branches[head]),
        contract_number=f"{rng.choice(('HT', '0'))}-{rng.randrange(100):02d}-{index:04d}",
        uscc=enterprise.uscc, signed_on=signed_on, loan_type=loan_type, currency=currency,
        purpose_field=_purpose(rng, intent, flaw), project_code=_project(draft, rng, enterprise),
        amount=yuan(_principal(rng, enterprise, currency) * 3),
    )  # fmt: skip
    row["intent"] = ";".join(intent)  # taken off again when the notes are drawn
    return row


def _purpose(rng: Random, intent: list[str], flaw: str) -> str:
    if flaw == "purpose":
        return rng.choice(("房地产", "商业零售"))
    if SPORTS in intent:
        return "体育产业"
    if SME in intent and EQUIPMENT in intent:
        return "人工智能"
    if EQUIPMENT in intent:
        return rng.choice(sorted(LIST_B))
    return rng.choice(sorted(LIST_A) if SME in intent else ["化学原料", *sorted(LIST_A)])


def _project(draft: Draft, rng: Random, enterprise: Enterprise) -> str:
    """Mostly an own project; sometimes another enterprise's, or none."""
    chance = rng.random()
    if chance < 0.12:
        others = [r["project_code"] for r in draft.rows["projects"]]
        return rng.choice(others) if others else ""
    if chance < 0.30 or not enterprise.projects:
        return ""
    return rng.choice(enterprise.projects)


def _principal(rng: Random, enterprise: Enterprise, currency: str) -> int:
    """Fen of the loan's currency; about the same worth in CNY for all currencies."""
    ranges = {
        "sme": (800, 6_000), "sports": (600, 4_000), "equipment": (500, 9_000),
        "manufacturing": (20_000, 70_000),
    }  # fmt: skip
    low, high = ranges[enterprise.profile] if enterprise.big else (10, 1_500)
    amount = rng.randint(low, high) * 1_000_000
    if rng.random() < 0.4:
        amount += rng.randrange(1_000_000)
    if enterprise.profile == "sports" and rng.random() < 0.15:
        amount = 1_000_000_000 + rng.choice((0, 0, 1))
    return {"CNY": amount, "USD": amount // 7, "JPY": amount * 20}[currency]


def _note(
    draft: Draft,
    rng: Random,
    enterprise: Enterprise,
    contract: Row,
    index: int,
    flaw: str,
    numbers: set[tuple[str, str]],
) -> Loan:
    intent = contract["intent"].split(";")
    drawn_on = _drawn_on(rng, date.fromisoformat(contract["signed_on"]), flaw)
    months = rng.choice((6, 12, 18, 36, 36, 60, 60, 84, 120))
    matures_on = add_months(drawn_on, months) + timedelta(days=rng.choice((0, 0, 0, 1, -1)))
    currency = contract["currency"]
    principal = _principal(rng, enterprise, currency)
    equipment = 0
    if MANUFACTURING in intent and flaw != "no_equipment":
        equipment = principal if rng.random() < 0.5 else principal * rng.randint(20, 99) // 100
    rate = "3.8100" if flaw == "rate" else _rate(rng, intent, low=0.1 if draft.theme else 0.25)
    row = draft.add(
        "notes", institution_code=contract["institution_code"],
        note_number=_number(rng, contract["institution_code"], index, numbers),
        contract_number=contract["contract_number"], drawn_on=drawn_on, matures_on=matures_on,
        principal=yuan(principal), annual_rate=rate, scheme_codes=";".join(intent),
        equipment_amount=yuan(equipment) if equipment else rng.choice(("", "0.00")),
        exchange_rate={"CNY": rng.choice(("1", "")), "USD": "7.1234", "JPY": "0.0462"}[currency],
    )  # fmt: skip
    fx = Fraction(row["exchange_rate"] or "1")
    return Loan(index, enterprise, row, drawn_on, matures_on, principal, fx, Fraction(rate))


def _drawn_on(rng: Random, signed_on: date, flaw: str) -> date:
    drawn_on = signed_on + timedelta(days=rng.choice((0, 5, 20, 40, 60)))
    if flaw == "drawn_late":
        return date(2027, 1, 1) + timedelta(days=rng.randrange(30))
    if flaw == "signed_early":
        return date(2026, 1, rng.randint(1, 25))
    if signed_on.year == 2026:
        drawn_on = min(drawn_on, date(2026, 12, 31))
    if rng.random() < 0.15:  # several notes on one day, where the order needs more than the date
        return max(drawn_on.replace(month=drawn_on.month // 3 * 3 or 1, day=20), signed_on)
    if rng.random() < 0.1:  # the last day of the month, where month arithmetic bites
        month_end = add_months(drawn_on.replace(day=1), 1) - timedelta(days=1)
        return max(month_end, signed_on)
    return drawn_on


def _number(rng: Random, institution: str, index: int, numbers: set[tuple[str, str]]) -> str:
    """Unique per institution only: now and then a number of another bank is used again."""
    number = f"{rng.choice(('JJ', '00', 'X'))}{rng.randrange(100):02d}{index:05d}"
    taken = [other for bank, other in sorted(numbers) if bank != institution]
    if taken and rng.random() < 0.08:
        again = rng.choice(taken)
        number = again if (institution, again) not in numbers else number
    numbers.add((institution, number))
    return number


def _rate(rng: Random, intent: list[str], *, low: float) -> str:
    """Percent; `low` is how often it is so low that the interest ceiling binds."""
    if rng.random() < 0.02:
        return "0"
    if rng.random() < low:
        return f"{rng.randrange(50, 230) / 100:.2f}"
    if SPORTS in intent:
        return rng.choice(
            ("3.80", "3.8", "3.75", "3.2500", "2.9000", "4.2950", "3.85", "3.7000", "3.9")
        )
    return f"{rng.randrange(24_000, 48_000) / 10_000:.4f}"


def _make_overdue(draft: Draft, rng: Random, loan: Loan, earlier: list[Loan]) -> None:
    """Some note of the enterprise overdue at this drawdown; at times it has just ended."""
    other = rng.choice([*(e for e in earlier if e.drawn_on < loan.drawn_on), loan])
    ends = (loan.drawn_on + timedelta(days=n) for n in (1, 30, 400))
    ends_on = rng.choice(["", *(day.isoformat() for day in ends)])
    starts_on = max(other.drawn_on, loan.drawn_on - timedelta(days=rng.randint(0, 20)))
    if rng.random() < 0.35 and starts_on < loan.drawn_on:
        ends_on = loan.drawn_on.isoformat()
    add_status(draft, other, "overdue", starts_on, ends_on)


def add_status(draft: Draft, loan: Loan, status: str, starts_on: date, ends_on: str) -> None:
    """One row per natural key."""
    mine = {**loan.key, "status": status, "starts_on": starts_on.isoformat()}
    if not any(mine.items() <= row.items() for row in draft.rows["note-statuses"]):
        draft.add("note-statuses", **mine, ends_on=ends_on)


def due_on(loan: Loan, start: date, end: date) -> int:
    """Interest of a period in CNY fen, on the balance at its start."""
    return half_up(loan.balance_on(start) * loan.fx * loan.rate * (end - start).days / 36_000)
