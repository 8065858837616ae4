"""Random scheme funds, outside subsidies, opening positions, guarantees and transfers."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from random import Random

from tests.reference.facts import Facts, add_months, fen, half_up, yuan
from tests.reference.judging import commitment, in_order, judge
from tests.reference.lending import Loan
from tests.reference.parties import Draft
from tests.reference.terms import MANUFACTURING, SCHEMES, SPORTS


def draw_outside(draft: Draft, loans: list[Loan]) -> None:
    if draft.on("outside"):
        _leasing(draft)
        _loan_interest(draft, loans)
    if draft.on("openings"):
        _openings(draft, loans)
    if draft.on("guarantees"):
        _guarantees(draft, loans)
    if draft.on("transfers"):
        _transfers(draft, loans)
    if draft.on("fund"):
        _fund(draft)


def _fund(draft: Draft) -> None:
    """A fund that fits the commitments of the first notes to the fen, or is one fen short of it, or
    has some room left; or no row at all. Later and smaller notes may still fit."""
    rng = draft.stream("fund")
    wanted = [
        commitment(verdict.note, SCHEMES[SPORTS], verdict.eligible)
        for verdict in in_order(judge(Facts(draft.rows)), SPORTS)
        if verdict.passes
    ]
    if not wanted or rng.random() < 0.15:
        return
    amount = sum(wanted[: rng.randint(1, len(wanted))])
    amount += rng.choice((0, 0, -1, min(wanted) // 2, -min(wanted) // 2))
    draft.add("scheme-funds", scheme_code=SPORTS, year=2026, amount=yuan(max(amount, 1)))
    if rng.random() < 0.3:
        draft.add("scheme-funds", scheme_code=SPORTS, year=2027, amount="1.00")


def _outside_row(draft: Draft, n: int, kind: str, amount: int, **more: object) -> None:
    names = {"leasing_interest": "融资租赁贴息", "loan_interest": "市级贴息", "grant": "技改奖补"}
    source = "省财政厅" if kind == "leasing_interest" else "市财政局"
    draft.add(
        "external-subsidies", source=source, reference=f"X{n:05d}", kind=kind,
        scheme_name=names[kind], amount=yuan(amount), **more,
    )  # fmt: skip


def _leasing(draft: Draft) -> None:
    """Enough leasing subsidy for the joint cap to bind; at times a part is reversed."""
    rng = draft.stream("leasing")
    for n, enterprise in enumerate(draft.enterprises):
        if enterprise.profile != "manufacturing" or rng.random() < 0.4:
            continue
        for year in rng.choice(([2026], [2026, 2027])):
            amount = rng.randrange(900_000_000, 2_050_000_000)
            ref = 10 * n + 1000 * (year - 2025)
            more = {"uscc": enterprise.uscc, "year": year}
            _outside_row(draft, ref, "leasing_interest", amount, **more)
            if draft.on("reversals") and rng.random() < 0.4:
                back = -(amount * rng.randint(1, 30) // 100)
                _outside_row(draft, ref + 1, "leasing_interest", back, **more)


def _loan_interest(draft: Draft, loans: list[Loan]) -> None:
    """On notes they eat the interest ceiling; by project only, or as grants, they touch nothing."""
    rng = draft.stream("loan_interest")
    for loan in loans:
        chance, n = rng.random(), 20_000 + 10 * loan.index
        amount = half_up(loan.principal * loan.fx * rng.randint(1, 200) / 10_000)
        year, uscc = rng.choice((2026, 2026, 2027)), loan.enterprise.uscc
        more: dict[str, object] = {"uscc": uscc, "year": year}
        if chance < 0.15:
            more |= loan.key
            _outside_row(draft, n, "loan_interest", amount, **more)
            if draft.on("reversals") and rng.random() < 0.4:
                _outside_row(
                    draft, n + 1, "loan_interest", -(amount * rng.randint(1, 100) // 100), **more
                )
        elif chance < 0.2:
            more |= loan.key if rng.random() < 0.5 else {"invoice_number": f"INV{n}"}
            _outside_row(draft, n, "grant", amount, **more)
        elif chance < 0.24 and loan.enterprise.projects:
            project = loan.enterprise.projects[0]
            _outside_row(draft, n, "loan_interest", amount, **more, project_code=project)


def _openings(draft: Draft, loans: list[Loan]) -> None:
    """A take-over day, often within a period; what was collected before it mostly is not in the
    files. Every row of a note and year repeats the note's interest of that year."""
    rng = draft.stream("openings")
    if rng.random() < 0.4:
        return
    taken_over = date(2026, 3, 1) + timedelta(days=rng.randrange(400))
    if rng.random() < 0.3:
        taken_over = taken_over.replace(day=21)
    for loan in loans:
        if loan.drawn_on < taken_over - timedelta(days=20) and rng.random() < 0.45:
            _opening(draft, rng, loan, taken_over)


def _opening(draft: Draft, rng: Random, loan: Loan, taken_over: date) -> None:
    forget = rng.random() < 0.8
    if forget:
        draft.rows["interest-collections"] = [
            r
            for r in draft.rows["interest-collections"]
            if not (loan.key.items() <= r.items() and r["period_end"] <= taken_over.isoformat())
        ]
    labels = loan.row["scheme_codes"].split(";")
    if rng.random() < 0.25:
        labels = labels[-1:]
    tight, part = rng.random() < 0.3, rng.choice((100, 100, rng.randint(10, 99)))
    for year in range(2026, taken_over.year + 1):
        until = min(taken_over, date(year + 1, 1, 1))
        days = (until - max(loan.drawn_on, date(year, 1, 1))).days
        if days <= 0:
            continue
        interest = half_up(loan.principal * loan.fx * loan.rate * days / 36_000)
        amounts = {
            (code, tier): min(half_up(_base(loan, code) * rate * days * part / 36_000), interest)
            for code in labels
            for tier, rate in SCHEMES[code].rates.items()
        }
        if tight:  # subsidised up to the interest paid, or in sum above it
            interest = max(amounts.values())
        for (code, tier), amount in amounts.items():
            draft.add(
                "opening-positions", **{**loan.key, "scheme_code": code}, tier=tier, year=year,
                amount=yuan(amount), interest_paid=yuan(interest if forget else 0),
                paid_through=until,
            )  # fmt: skip


def _base(loan: Loan, code: str) -> Fraction:
    """What a scheme's rate is applied to, in CNY fen."""
    if code == MANUFACTURING:
        return fen(loan.row["equipment_amount"] or "0") * loan.fx
    return loan.principal * loan.fx


def _guarantees(draft: Draft, loans: list[Loan]) -> None:
    rng = draft.stream("guarantees")
    for loan in loans:
        likely = 0.7 if SPORTS in loan.row["scheme_codes"] else 0.05
        for n in range(rng.choice((1, 1, 1, 2)) if rng.random() < likely else 0):
            starts_on = loan.drawn_on + timedelta(days=rng.choice((0, 0, 3, 20)))
            ends_on = add_months(starts_on, rng.choice((1, 3, 6, 12, 14, 24)))
            principal = half_up(loan.principal * loan.fx) * rng.choice((100, 80, 33)) // 100
            draft.add(
                "guarantees", **loan.key, guarantee_number=f"{rng.choice('GD')}{loan.index:04d}{n}",
                guarantor="样例担保集团", principal=yuan(principal), starts_on=starts_on,
                ends_on=ends_on + timedelta(days=rng.choice((0, 0, -1, 15))), fee_rate="0.9",
            )  # fmt: skip


def _transfers(draft: Draft, loans: list[Loan]) -> None:
    rng = draft.stream("transfers")
    for loan in loans:
        here = loan.row["institution_code"]
        family = next(codes for codes in draft.branches.values() if here in codes)
        others = [code for code in family if code != here]
        if others and rng.random() < 0.1:
            draft.add(
                "note-transfers", **loan.key, new_institution_code=rng.choice(others),
                moved_on=loan.drawn_on + timedelta(days=rng.randint(10, 500)),
            )  # fmt: skip
