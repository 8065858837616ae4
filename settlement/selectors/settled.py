"""A year, or the whole life, of funds as settlements see them: what is stated of it and what is not yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

from config.kernel.services.bulk import rows
from settlement.engine import settling
from settlement.engine.settling import Covered, Entry, Figures
from settlement.models import SettlementItem
from settlement.selectors import settlements

LEDGER = "ledger"
"""State of a line that no settlement states: it is straight from the ledger's entries."""


@dataclass(frozen=True)
class FundOf:
    """A fund and whose it is."""

    fund_id: int
    scheme_code: str
    institution_id: int
    institution_code: str
    institution_name: str
    tier: str
    purpose: str


@dataclass(frozen=True)
class Line:
    """What one settlement states of a fund (`part` from 1), or what the ledger says beyond (part 0).

    Fen. What finance approved and disallowed is None before its answer; the need of the next year
    None where no settlement states it.
    """

    fund: FundOf
    part: int
    state: str
    is_final: bool
    figures: Figures
    approved_fen: int | None = None
    disallowed_fen: int | None = None
    next_year_need_fen: int | None = None


def year_lines(
    *, scheme_codes: Sequence[str], scope: tuple[int, int], year: int, before: date | None = None
) -> list[Line]:
    """The lines of a year, by fund and part; together they hold every entry of that year once.

    Draft, submitted, decided and booked settlements count. `before`: instead, one line per fund of the
    year's entries that count before that day, whatever is settled of them.
    """
    known = funds(scheme_codes=scheme_codes, scope=scope)
    entries = _entries(known, before)
    stated = {} if before is not None else _stated(list(known), year)
    found = []
    for fund_id, fund in known.items():
        parts = stated.get(fund_id, [])
        found += [_line(fund, item) for item in parts]
        rest = _rest(fund, entries[fund_id], parts, year)
        if rest is not None and (rest.is_any or not parts):
            found.append(rest.line)
    return found


def life_lines(*, scheme_codes: Sequence[str], scope: tuple[int, int], before: date) -> list[Line]:
    """One line per fund over all entries that count before a day, with what finance answered so far."""
    known = funds(scheme_codes=scheme_codes, scope=scope)
    found = []
    for fund_id, entries in _entries(known, before).items():
        if entries:
            through = entries[-1].number
            found.append(
                Line(
                    fund=known[fund_id],
                    part=0,
                    state=LEDGER,
                    is_final=False,
                    figures=settling.figures(entries, Covered(), year=None, through=through),
                    approved_fen=_moved(entries, "treasury_advance", "use_approved"),
                    disallowed_fen=_moved(entries, "disallowed", "use_disallowed"),
                )
            )
    return found


def funds(*, scheme_codes: Sequence[str], scope: tuple[int, int]) -> dict[int, FundOf]:
    """The funds of these schemes at these institutions, in order of scheme and institution."""
    found = rows(
        "SELECT f.id, s.code, i.id, i.code, i.name, f.tier, f.purpose FROM settlement_fund f"
        " JOIN settlement_scheme s ON s.id = f.scheme_id"
        " JOIN kernel_institution i ON i.id = f.institution_id"
        " WHERE s.code = ANY(%s) AND f.institution_id BETWEEN %s AND %s"
        " ORDER BY s.code, i.id, f.purpose DESC,"
        " array_position(ARRAY['central', 'provincial', 'municipal'], f.tier::text)",
        [list(scheme_codes), *scope],
    )
    return {int(row[0]): FundOf(*row) for row in found}


@dataclass(frozen=True)
class _Rest:
    line: Line
    is_any: bool


def _rest(
    fund: FundOf, entries: list[Entry], parts: Sequence[SettlementItem], year: int
) -> _Rest | None:
    """What the year's entries hold beyond its settlements; None for a fund that had none until then."""
    upto = [entry for entry in entries if entry.year <= year]
    if not upto:
        return None
    last = {entry.year: entry.number for entry in upto if entry.year < year}
    covered = Covered(years=last)
    for item in parts:
        covered = covered.and_(year=year, through=int(item.through_number))
    rest = settling.uncovered(upto, covered, year=year)
    is_any = settling.is_anything_to_settle(rest) or any(
        entry.event == "surplus_returned" for entry in rest
    )
    figures = settling.figures(upto, covered, year=year, through=upto[-1].number)
    return _Rest(Line(fund, 0, LEDGER, is_final=False, figures=figures), is_any)


def _stated(fund_ids: Collection[int], year: int) -> Mapping[int, list[SettlementItem]]:
    found: dict[int, list[SettlementItem]] = defaultdict(list)
    items = SettlementItem.objects.filter(fund_id__in=fund_ids, settlement__year=year)
    items = items.exclude(settlement__state="withdrawn").select_related("settlement")
    for item in items.order_by("settlement__part", "pk"):
        found[item.fund_id].append(item)
    return found


def _line(fund: FundOf, item: SettlementItem) -> Line:
    return Line(
        fund=fund,
        part=int(item.settlement.part),
        state=str(item.settlement.state),
        is_final=bool(item.settlement.is_final),
        figures=Figures(**{one.name: getattr(item, one.name) for one in fields(Figures)}),
        approved_fen=item.approved_fen,
        disallowed_fen=item.disallowed_fen,
        next_year_need_fen=int(item.next_year_need_fen),
    )


# As reports count: money of finance on the day it arrived, deductions in their month, else as posted.
_LATER = """
SELECT e.fund_id, e.number FROM settlement_ledgerentry e
LEFT JOIN loans_preallocation p ON e.event = 'pre_allocation' AND p.id = e.source_id
WHERE e.fund_id = ANY(%s) AND coalesce(e.month, p.received_on, e.posted_on) >= %s
"""


def _entries(known: Mapping[int, FundOf], before: date | None) -> dict[int, list[Entry]]:
    """Their entries in order; those that count on a day or later are left out."""
    found = settlements.entries(ids=list(known))
    if before is None:
        return found
    later = {(int(fund), int(number)) for fund, number in rows(_LATER, [list(known), before])}
    return {
        fund: [entry for entry in entries if (fund, entry.number) not in later]
        for fund, entries in found.items()
    }


def _moved(entries: Sequence[Entry], account: str, event: str) -> int:
    return sum(int(getattr(entry, account)) for entry in entries if entry.event == event)


def with_needs(
    lines: Sequence[Line],
    *,
    scheme_code: str,
    needs: Mapping[tuple[int, str], int],
    scope: tuple[int, int],
) -> list[Line]:
    """The lines with next year's need on those of the scheme's interest funds that state none.

    `needs`: fen by fund institution and tier. What is needed where there is no fund yet has a line of
    its own, of zeros.
    """
    stated = {one.fund.fund_id for one in lines if one.next_year_need_fen is not None}
    found, known = [], set()
    for one in lines:
        fund = one.fund
        if fund.scheme_code == scheme_code and fund.purpose == "interest":
            known.add((fund.institution_id, fund.tier))
            if fund.fund_id not in stated:
                need = needs.get((fund.institution_id, fund.tier), 0)
                found.append(replace(one, next_year_need_fen=need))
                continue
        found.append(one)
    missing = {
        (place, tier): fen
        for (place, tier), fen in needs.items()
        if fen and (place, tier) not in known and scope[0] <= place <= scope[1]
    }
    return found + _without_fund(missing, scheme_code)


def _without_fund(needs: Mapping[tuple[int, str], int], scheme_code: str) -> list[Line]:
    names = {
        int(place): (code, name)
        for place, code, name in rows(
            "SELECT id, code, name FROM kernel_institution WHERE id = ANY(%s)",
            [sorted({place for place, _ in needs})],
        )
    }
    nothing = Figures(**{one.name: 0 for one in fields(Figures)})
    return [
        Line(
            fund=FundOf(0, scheme_code, place, *names[place], tier, "interest"),
            part=0,
            state=LEDGER,
            is_final=False,
            figures=nothing,
            next_year_need_fen=fen,
        )
        for (place, tier), fen in sorted(needs.items())
    ]
