"""What an event does to a fund's accounts: the lines of its entry (domain §5).

Amounts are fen. A negative amount of a reversible event writes the same lines on the other side.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One side of an entry; exactly one of the two amounts is above zero."""

    account: str
    debit_fen: int = 0
    credit_fen: int = 0


Lines = tuple[Line, ...]


def net(lines: Lines, account: str) -> int:
    """What the lines add to an account: debits less credits."""
    return sum(line.debit_fen - line.credit_fen for line in lines if line.account == account)


def _lines(debits: dict[str, int], credits_: dict[str, int]) -> Lines:
    """Lines of these amounts, zeros left out; debits and credits must be equal and not negative."""
    assert min(*debits.values(), *credits_.values()) >= 0, (debits, credits_)
    assert sum(debits.values()) == sum(credits_.values()), (debits, credits_)
    return (
        *(Line(account, debit_fen=fen) for account, fen in debits.items() if fen),
        *(Line(account, credit_fen=fen) for account, fen in credits_.items() if fen),
    )


def _move(debit: str, credit: str, amount_fen: int) -> Lines:
    """One amount from one account to another; a negative one the other way."""
    if amount_fen < 0:
        return _move(credit, debit, -amount_fen)
    return _lines({debit: amount_fen}, {credit: amount_fen})


def pre_allocation(amount_fen: int, *, available_fen: int) -> Lines:
    """Finance paid ahead; a negative amount takes it back, out of what is left of it (D19)."""
    if amount_fen >= 0:
        return _move("special_account", "treasury_advance", amount_fen)
    left = min(-amount_fen, available_fen)
    return _lines(
        {"treasury_advance": -amount_fen},
        {"special_account": left, "bank_advance": -amount_fen - left},
    )


def advance_repaid(*, owed_fen: int, available_fen: int) -> Lines:
    """The bank's own advance is repaid first, as far as the money goes (D19)."""
    return _move("bank_advance", "special_account", min(owed_fen, available_fen))


def deduction(amount_fen: int, *, offset_fen: int, available_fen: int) -> Lines:
    """A subsidy paid on the treasury's behalf: less what is offset, the bank advances what lacks."""
    paid = amount_fen - offset_fen
    own = min(paid, available_fen)
    return _lines(
        {"subsidy_applied": amount_fen},
        {"clawback_receivable": offset_fen, "special_account": own, "bank_advance": paid - own},
    )


def taken_over(amount_fen: int, *, available_fen: int, owed_fen: int) -> Lines:
    """Subsidies paid before the system took over; a negative amount takes back what was said too much."""
    if amount_fen >= 0:
        return deduction(amount_fen, offset_fen=0, available_fen=available_fen)
    repaid = min(-amount_fen, owed_fen)
    return _lines(
        {"bank_advance": repaid, "special_account": -amount_fen - repaid},
        {"subsidy_applied": -amount_fen},
    )


def negative_difference(amount_fen: int) -> Lines:
    """The enterprise owes what a recomputation lowered (D20)."""
    return _move("clawback_receivable", "subsidy_applied", amount_fen)


def clawback_decided(amount_fen: int, *, year_is_settled: bool) -> Lines:
    """What was paid is taken back; of a settled year it is owed to finance again."""
    source = "treasury_advance" if year_is_settled else "subsidy_applied"
    return _move("clawback_receivable", source, amount_fen)


def clawback_lapsed(amount_fen: int, *, settled_fen: int) -> Lines:
    """What is claimed already is owed once: undoes `clawback_decided`, `settled_fen` of a settled year.

    A negative amount (the difference was undone) brings the claim back.
    """
    sources = {"subsidy_applied": amount_fen - settled_fen, "treasury_advance": settled_fen}
    owed = {"clawback_receivable": abs(amount_fen)}
    if amount_fen >= 0:
        return _lines(sources, owed)
    return _lines(owed, {account: -fen for account, fen in sources.items()})


def clawback_received(amount_fen: int) -> Lines:
    """The enterprise has paid back."""
    return _move("special_account", "clawback_receivable", amount_fen)


def clawback_written_off(amount_fen: int) -> Lines:
    """The bank bears what the enterprise will not pay back."""
    return _move("disallowed", "clawback_receivable", amount_fen)


def made_good(amount_fen: int) -> Lines:
    """The bank pays into the special account what it has to bear."""
    return _move("special_account", "disallowed", amount_fen)


def use_approved(amount_fen: int) -> Lines:
    """Finance recognises the use of its money."""
    return _move("treasury_advance", "subsidy_applied", amount_fen)


def use_disallowed(amount_fen: int) -> Lines:
    """Finance does not recognise it: the bank bears it."""
    return _move("disallowed", "subsidy_applied", amount_fen)


def surplus_returned(amount_fen: int) -> Lines:
    """What is left at the end goes back to finance."""
    return _move("treasury_advance", "special_account", amount_fen)
