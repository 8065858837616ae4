"""What every report is made of besides its own rows: heading, schemes, posted money, and its ties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from loans.values.errors import DomainError, bilingual
from reports.definitions.filing import SchemeTitle
from reports.definitions.sheet import Heading, Sheet, Table, Tie
from reports.definitions.words import TIERS, TIERS_ZH

Sums = Mapping[tuple[str, str], int]
"""Fen by (scheme code, tier)."""


@dataclass(frozen=True)
class Money:
    """What is posted for the period, in three sums of their own, by scheme and tier.

    `held`: deductions of notes that belong to the institutions reported on; `funded`: deductions that
    these institutions' funds bore, wherever the note is today; `ledger`: what those funds' entries say.
    """

    held: Sums
    funded: Sums
    ledger: Sums


@dataclass(frozen=True)
class Cut:
    """A report's frame: who, when, which schemes in order of priority, what is assumed."""

    heading: Heading
    schemes: tuple[SchemeTitle, ...]
    article: str
    footnotes: tuple[str, ...]
    money: Money

    @property
    def tiers(self) -> tuple[str, ...]:
        """The tiers that these schemes pay from, or that anything is posted for."""
        paying = {tier for one in self.schemes for tier in one.tiers}
        posted = {tier for (_, tier), fen in self.money.held.items() if fen}
        return tuple(tier for tier in TIERS if tier in paying | posted)

    def sheet(self, *tables: Table, ties: tuple[Tie, ...], notes: tuple[str, ...] = ()) -> Sheet:
        """The whole report; raises BrokenTie if sums that must be equal differ."""
        found = Sheet(
            heading=self.heading,
            tables=tables,
            footnotes=(*notes, *self.footnotes),
            ties=ties,
        )
        return held(found)

    def named(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with each row's scheme name and `rank`, its place in order of priority."""
        titles = pl.DataFrame(
            [(one.code, one.name_zh, rank) for rank, one in enumerate(self.schemes)],
            schema={"scheme_code": pl.String, "scheme_zh": pl.String, "rank": pl.Int64},
            orient="row",
        )
        return frame.join(titles, on="scheme_code", how="left")


class BrokenTie(DomainError):
    """Sums of a report that must be equal are not: its data or its code is wrong, nobody may file it."""

    def __init__(self, message: str) -> None:
        super().__init__("report_does_not_tie", message)


def held(sheet: Sheet) -> Sheet:
    """The sheet itself if all its ties hold; else BrokenTie, with both sums of each."""
    broken = [
        f"{tie.name_zh}：{tie.one_fen} ≠ {tie.other_fen}（分）"
        for tie in sheet.ties
        if not tie.holds
    ]
    if broken:
        listed = "；".join(broken)
        raise BrokenTie(
            bilingual(
                f"{sheet.heading.title_zh}勾稽不平，未生成报表：{listed}",
                "the sums differ, no report was made",
            )
        )
    return sheet


def sums_by_tier(frame: pl.DataFrame, *, suffix: str = "_fen") -> Counter[tuple[str, str]]:
    """Column sums of a frame with `scheme_code` and a column per tier."""
    found: Counter[tuple[str, str]] = Counter()
    grouped = frame.group_by("scheme_code").agg(pl.col([f"{tier}{suffix}" for tier in TIERS]).sum())
    for scheme_code, *amounts in grouped.iter_rows():
        found.update({(scheme_code, tier): fen for tier, fen in zip(TIERS, amounts, strict=True)})
    return found


def ties_of_money(rows: Sums, money: Money) -> tuple[Tie, ...]:
    """Rows against posted deductions, and deductions against the ledger, by scheme and tier."""
    sides = (rows, money.held, money.funded, money.ledger)
    keys = sorted({key for side in sides for key, fen in side.items() if fen}, key=_key_order)
    ties = []
    for key in keys:
        name = f"{key[0]} {TIERS_ZH[key[1]]}"
        ties.append(Tie(f"{name}：报表 = 代付贴息明细", rows.get(key, 0), money.held.get(key, 0)))
        ties.append(
            Tie(
                f"{name}：资金机构代付贴息明细 = 资金账发生额",
                money.funded.get(key, 0),
                money.ledger.get(key, 0),
            )
        )
    return tuple(ties)


def _key_order(key: tuple[str, str]) -> tuple[str, int]:
    return key[0], TIERS.index(key[1])


def notes_of_money(money: Money) -> tuple[str, ...]:
    """Where notes and funds part: money of other institutions' ledgers, or for notes that left."""
    found = []
    for code in sorted({code for code, _ in {**money.held, **money.funded}}):
        one = sum(fen for (scheme, _), fen in money.held.items() if scheme == code)
        other = sum(fen for (scheme, _), fen in money.funded.items() if scheme == code)
        if one == other:
            continue
        if not any(fen for (scheme, _), fen in money.funded.items() if scheme == code):
            found.append(
                f"{code}：本范围无资金账，贴息由上级或原资金机构的资金账列支，只与代付贴息明细勾稽。"
            )
        else:
            found.append(
                f"{code}：含由其他机构资金账列支，或借据已划出而由本范围资金账列支的差额 "
                f"{_yuan(one - other)} 元，两侧分别勾稽。"
            )
    return tuple(found)


def _yuan(fen: int) -> str:
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole:,}.{rest:02d}"
