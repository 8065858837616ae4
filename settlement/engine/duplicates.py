"""What a finding is: which matter, whose notes, under which article, and what money is at stake."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from settlement.engine.codes import TIERS
from settlement.engine.terms_model import Terms

VIOLATION, WARNING, PROPOSAL = "violation", "warning", "proposal"

# Where each document speaks of misuse of loans or money, and of paying its money out in time.
MISUSE = {
    "财金〔2026〕4号": "三(三)",
    "财金〔2026〕2号": "八",
    "苏财工贸〔2026〕7号": "(十二)",
    "苏体经〔2026〕1号": "六(二)",
}
IN_TIME = {
    "财金〔2026〕4号": "二(二)",
    "财金〔2026〕2号": "四",
    "苏财工贸〔2026〕7号": "(九)",
    "苏体经〔2026〕1号": "五(五)",
}


class Paid(NamedTuple):
    """What one collection earned under one scheme, net of differences; fen by tier."""

    note_id: int
    scheme_code: str
    fund_institution_id: int
    year: int
    starts_on: datetime.date
    ends_on: datetime.date
    fen: tuple[int, ...]


class Claim(NamedTuple):
    """What could be taken back of one note, scheme, fund, year of collection and tier; fen."""

    note_id: int
    scheme_code: str
    fund_institution_id: int
    year: int
    tier: str
    fen: int


PaidOf = Mapping[int, Sequence[Paid]]
Price = Callable[[PaidOf], Iterable[Claim]]


def nothing(_: PaidOf) -> Iterable[Claim]:
    """No money is at stake, or how much is not for a rule to say."""
    return ()


@dataclass(frozen=True)
class Match:
    """Facts that a rule speaks of. `key` says which matter it is, whatever else becomes known of it.

    `notes` in canonical order; `yields` are those whose subsidy gives way, the first of them says whose
    finding it is; `evidence` is seen by that bank, so it tells nothing of another's notes. `costs` reckons the money at stake; `needs_money`: without any it is no finding.
    `blocks`: schemes under which nothing more is paid for those that give way, unless it is dismissed (F5).
    """

    rule: str
    key: tuple[str, ...]
    severity: str
    article: str
    notes: tuple[int, ...]
    yields: tuple[int, ...]
    evidence: Mapping[str, Any] = field(default_factory=dict)
    scheme_code: str = ""
    costs: Price = nothing
    needs_money: bool = False
    blocks: tuple[str, ...] = ()
    outside: tuple[Mapping[str, Any], ...] = ()
    said: Mapping[int, Mapping[str, Any]] = field(
        default_factory=dict
    )  # of a note, in its own side
    institution_id: int = 0  # whose finding it is, if no note is

    @property
    def identity(self) -> str:
        """The same matter has the same identity, for ever."""
        return digest([self.rule, *self.key])


def digest(facts: Any) -> str:
    """SHA-256 of facts in canonical form."""
    text = json.dumps(facts, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def duty(terms: Terms) -> str:
    """Schemes of one duty exclude each other on one loan: a scheme itself, and its exclusive group."""
    return terms.exclusive_group or terms.code


def article(terms: Terms, key: str) -> str:
    """The document and article of one value of a scheme file; says so where it is assumed."""
    known = {c.key: c for c in (*terms.citations, *terms.decisions)}.get(key)
    if known is None or not known.article:
        return f"{terms.document}（假定 assumed）"
    return f"{terms.document} {known.article}"


def listed(terms: Terms, articles: Mapping[str, str]) -> str:
    """The document and the article that a list gives for it; the document alone if it gives none."""
    return f"{terms.document} {articles.get(terms.document, '')}".strip()


def whole(
    notes: Iterable[int], *, year: int | None = None, schemes: Iterable[str] | None = None
) -> Price:
    """All that these notes were paid, in a year and under some schemes if given."""
    chosen, only = tuple(notes), None if schemes is None else frozenset(schemes)

    def costs(paid: PaidOf) -> Iterable[Claim]:
        for row in _rows(paid, chosen):
            if year in (None, row.year) and (only is None or row.scheme_code in only):
                yield from _claims(row, 1, 1)

    return costs


def overlapped(notes: Iterable[int], others: Iterable[int], duties: Mapping[str, str]) -> Price:
    """What `notes` were paid for days for which `others` were paid under a scheme of the same duty.

    Of a period that overlaps in part, the overlapping days' share of it, rounded down per tier.
    """
    chosen, against = tuple(notes), tuple(others)

    def costs(paid: PaidOf) -> Iterable[Claim]:
        opposite = list(_rows(paid, against))
        for row in _rows(paid, chosen):
            same = [o for o in opposite if duties.get(o.scheme_code) == duties.get(row.scheme_code)]
            days = max((common_days(row, other) for other in same), default=0)
            yield from _claims(row, days, (row.ends_on - row.starts_on).days)

    return costs


def repeated(note: int, duties: Mapping[str, str]) -> Price:
    """What one note was paid again for days it had been paid for: by period, then by scheme."""

    def costs(paid: PaidOf) -> Iterable[Claim]:
        seen: list[Paid] = []
        for row in sorted(
            _rows(paid, (note,)), key=lambda r: (r.starts_on, r.ends_on, r.scheme_code)
        ):
            days = max(
                (common_days(row, before) for before in seen if _again(before, row, duties)),
                default=0,
            )
            yield from _claims(row, days, (row.ends_on - row.starts_on).days)
            seen.append(row)

    return costs


def share(parts: Mapping[int, tuple[int, int]], *, scheme_code: str) -> Price:
    """Of each note's money under a scheme the part (numerator, denominator), rounded down per tier."""

    def costs(paid: PaidOf) -> Iterable[Claim]:
        for row in _rows(paid, parts):
            if row.scheme_code == scheme_code:
                yield from _claims(row, *parts[row.note_id])

    return costs


def share_of_periods(
    note: int,
    scheme_code: str,
    parts: Mapping[tuple[datetime.date, datetime.date], tuple[int, int]],
) -> Price:
    """Of a note's money for some periods the part (numerator, denominator), rounded down per tier."""

    def costs(paid: PaidOf) -> Iterable[Claim]:
        for row in _rows(paid, (note,)):
            period = (row.starts_on, row.ends_on)
            if row.scheme_code == scheme_code and period in parts:
                yield from _claims(row, *parts[period])

    return costs


def given(claim: Claim) -> Price:
    """One amount that is known beforehand."""
    return lambda _: (claim,)


def beyond(note: int, year: int, excess_fen: int, order: Sequence[str]) -> Price:
    """What must go so that a note's year falls by an excess: schemes served last first (D9, D11)."""

    def costs(paid: PaidOf) -> Iterable[Claim]:
        left = excess_fen
        mine = [row for row in _rows(paid, (note,)) if row.year == year]
        for row in sorted(
            mine, key=lambda r: (-order.index(r.scheme_code), -r.starts_on.toordinal())
        ):
            cut = min(left, sum(row.fen))
            left -= cut
            for tier, was, now in zip(
                TIERS, row.fen, _kept(row.fen, sum(row.fen) - cut), strict=True
            ):
                yield _claim(row, tier, was - now)

    return costs


def _kept(fen: Sequence[int], total: int) -> list[int]:
    """The tiers cut in proportion to a total: floors, the highest tier present takes the rest."""
    before = sum(fen)
    kept = [amount * total // before if before else 0 for amount in fen]
    highest = next((place for place, amount in enumerate(fen) if amount), 0)
    kept[highest] += total - sum(kept)
    return kept


def common_days(one: Paid, other: Paid) -> int:
    """Days that two half-open periods share."""
    return max(0, (min(one.ends_on, other.ends_on) - max(one.starts_on, other.starts_on)).days)


def _again(before: Paid, row: Paid, duties: Mapping[str, str]) -> bool:
    """Whether a row pays again what another paid: parts of one payment of one period do not."""
    same = (before.starts_on, before.ends_on, before.scheme_code) == (
        row.starts_on, row.ends_on, row.scheme_code,
    )  # fmt: skip
    return not same and duties.get(before.scheme_code) == duties.get(row.scheme_code)


def _rows(paid: PaidOf, notes: Iterable[int]) -> Iterable[Paid]:
    for note in notes:
        yield from (row for row in paid.get(note, ()) if sum(row.fen) > 0)


def _claims(row: Paid, part: int, of: int) -> Iterable[Claim]:
    for tier, fen in zip(TIERS, row.fen, strict=True):
        yield _claim(row, tier, fen * part // of)


def _claim(row: Paid, tier: str, fen: int) -> Claim:
    return Claim(row.note_id, row.scheme_code, row.fund_institution_id, row.year, tier, fen)


def folded(claims: Iterable[Claim]) -> list[Claim]:
    """Claims added up per note, scheme, fund, year and tier; those of nothing left out."""
    sums: dict[tuple[Any, ...], int] = defaultdict(int)
    for claim in claims:
        sums[claim[:-1]] += claim.fen
    found = [Claim._make((*key, fen)) for key, fen in sorted(sums.items())]
    return [claim for claim in found if claim.fen > 0]
