"""What people's claims lapse by where a recomputation takes the same money back (S21, D20).

Per note, fund and year of collection. A subsidy is owed back once: what is claimed beyond what is
still paid lapses, and the difference that lowered it is owed for the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Lapsed:
    """An amount of claims in fen; `settled_fen` of it were claimed after their year was settled.

    A change below zero brings claims back into force.
    """

    amount_fen: int = 0
    settled_fen: int = 0


@dataclass(frozen=True)
class Standing:
    """What people have claimed of a note, fund and year, what is paid for it, and what has lapsed; fen.

    `claimed_fen`: decided claims, differences apart; `settled_fen`: those of them decided after the
    year was settled, which are always the later ones; `paid_fen`: postings net of differences.
    """

    claimed_fen: int
    settled_fen: int
    paid_fen: int
    lapsed: Lapsed = Lapsed()

    @property
    def target(self) -> Lapsed:
        """What has lapsed of the claims if this much is paid; the latest claims lapse first."""
        lapsed = min(max(self.claimed_fen - self.paid_fen, 0), self.claimed_fen)
        return Lapsed(lapsed, min(lapsed, self.settled_fen))

    def after(self, change_fen: int) -> Standing:
        """The same once that much more (or less) is paid, and lapsed what then has to."""
        later = replace(self, paid_fen=self.paid_fen + change_fen)
        return replace(later, lapsed=later.target)

    def lapsing(self, change_fen: int) -> Lapsed:
        """What more (below zero: less) lapses once that much more (or less) is paid."""
        later = self.after(change_fen).lapsed
        return Lapsed(
            later.amount_fen - self.lapsed.amount_fen, later.settled_fen - self.lapsed.settled_fen
        )
