"""What all reports are built on: the schemes they speak of, their heading, and what is assumed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from reports.definitions import filing
from reports.definitions.cut import Cut, notes_of_money
from reports.definitions.filing import FILINGS, SchemeTitle
from reports.definitions.period import Period
from reports.definitions.sheet import Heading
from reports.selectors import places, posted
from reports.selectors.lending import Of
from settlement.services.schemes import terms_in_force

if TYPE_CHECKING:
    from reports.services.catalogue import Asked
    from settlement.engine.terms import Terms

_NUMBERED = re.compile(r"(D\d+): (.*)")  # a decision of domain §3 by its number
DEADLINES = "D21"  # assumed of due dates, of no figure in a report


def of_period(asked: Asked, cut_schemes: Iterable[SchemeTitle], period: Period) -> Of:
    """The institutions and schemes asked about, over the days of a period."""
    codes = tuple(one.code for one in cut_schemes)
    return Of(scope=asked.scope, codes=codes, since=period.start, until=period.end)


def cut(code: str, asked: Asked, *, unit_zh: str, over: Period | None = None) -> Cut:
    """The frame of one report: heading, schemes in order of priority, posted money, footnotes.

    `over`: the days whose posted money the report is about, where they are not the period's.
    """
    terms = terms_in_force().terms
    known = [
        SchemeTitle(one.code, one.name_zh, one.document, one.fund_level, one.tiers) for one in terms
    ]
    schemes = filing.chosen(code, known, asked.scheme_code)
    left_out = [] if asked.scheme_code else [one for one in known if one not in schemes]
    levels = places.filing_levels(institution_id=asked.institution_id)
    money = posted.money(of_period(asked, schemes, over or asked.period))
    codes = {one.code for one in schemes}
    return Cut(
        heading=_heading(code, asked, schemes, unit_zh),
        schemes=schemes,
        article=filing.article(code, schemes),
        footnotes=(
            *filing.remarks(code, schemes=schemes, left_out=left_out, levels=levels),
            *notes_of_money(money),
            *assumed([one for one in terms if one.code in codes]),
        ),
        money=money,
    )


def _heading(code: str, asked: Asked, schemes: Sequence[SchemeTitle], unit_zh: str) -> Heading:
    return Heading(
        code=code,
        title_zh=FILINGS[code].title_zh,
        institution_code=asked.institution_code,
        institution_name=asked.institution_name,
        period_code=asked.period.code,
        period_zh=asked.period.title_zh,
        unit_zh=unit_zh,
        addressee_zh=filing.addressee(code, schemes),
        scheme_code=asked.scheme_code or "",
        scheme_zh="；".join(one.full_zh for one in schemes),
        scheme_codes=tuple(one.code for one in schemes),
        cut_zh=f"资金账截至第 {places.ledger_position()} 号分录",
    )


def assumed(terms: Iterable[Terms]) -> tuple[str, ...]:
    """One footnote per assumed setting, naming the documents that are silent, in their order."""
    documents: dict[tuple[str, str], list[str]] = {}
    for one in terms:
        for source in (*one.citations, *one.decisions):
            if source.assumed_because and source.key != DEADLINES:
                why = source.assumed_because.split(" / ")[0]
                numbered = _NUMBERED.fullmatch(why)
                said = (f"〔{numbered[1]}〕", numbered[2]) if numbered else ("：", why)
                documents.setdefault(said, []).append(one.document)
    return tuple(
        f"假定{number}{why}（{'、'.join(dict.fromkeys(silent))}）。"
        for (number, why), silent in documents.items()
    )
