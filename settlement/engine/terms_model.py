"""What a scheme says, as plain values: the shape every scheme file is read into."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from settlement.engine.codes import FIRST_DAY, LAST_DAY, TIERS


@dataclass(frozen=True)
class Citation:
    """Where one value of a scheme file comes from: an article, or why it is assumed."""

    key: str
    value: str
    article: str
    assumed_because: str


@dataclass(frozen=True)
class Window:
    """Days from `starts_on` to `ends_on`, exclusive; the far ends of the calendar mean open."""

    starts_on: datetime.date = FIRST_DAY
    ends_on: datetime.date = LAST_DAY


@dataclass(frozen=True)
class Block:
    """One amount in force over a window of drawdown, accrual or collection days."""

    amount: int
    window: Window = Window()
    key: str = ""


@dataclass(frozen=True)
class Dated:
    """A value that may change on a date: blocks without gaps, chosen `by` one kind of day."""

    blocks: tuple[Block, ...]
    by: str = "drawdown"

    @property
    def smallest(self) -> int:
        """The least amount of any block."""
        return min(block.amount for block in self.blocks)

    def on(self, day: datetime.date) -> Block:
        """The block in force on a day; the loader has made sure that there is one."""
        if len(self.blocks) == 1:
            return self.blocks[0]
        return next(b for b in self.blocks if b.window.starts_on <= day < b.window.ends_on)


@dataclass(frozen=True)
class PrincipalCap:
    """Eligible principal, in fen, given out per borrower, note or project over a year or life."""

    per: str
    span: str
    loan_types: tuple[str, ...]
    limit_fen: Dated
    key: str


@dataclass(frozen=True)
class AmountCap:
    """Subsidy, in fen, given out per note, project, enterprise or borrower over a year or life.

    `joint` counts the enterprise's leasing-interest subsidies of the year as already used.
    """

    per: str
    span: str
    joint: bool
    limit_fen: Dated
    reason: str
    key: str


@dataclass(frozen=True)
class TierOff:
    """A tier pays nothing for a project with a note eligible under a scheme of `group`."""

    tier: str
    group: str
    key: str


@dataclass(frozen=True)
class GuaranteeFee:
    """Guarantee-fee subsidy: annual rate, most months, and the largest note it is for."""

    rate_e8: int
    max_months: int
    max_note_fen: int
    once_per_enterprise: bool


@dataclass(frozen=True)
class PaperRule:
    """A paper that a note (or the institution, for all its notes) has to have, and what to do about it.

    `with_equipment`: only notes that buy equipment. `blocks`: without it no plan is checked; else its
    lack is told and nothing more. Amounts never depend on papers.
    """

    kind: str
    per: str
    with_equipment: bool
    blocks: bool
    say_zh: str
    say_en: str
    article: str
    assumed_because: str


@dataclass(frozen=True)
class Terms:
    """One scheme, as its file says it. `citations` give the article of every value by key.

    `rates` are per tier: for `points` and `interest_to_lpr_plus` see `settlement.engine.rates`;
    `percent_of_interest` in parts per million of the interest paid.
    """

    name: str
    code: str
    name_zh: str
    name_en: str
    document: str
    priority: int
    exclusive_group: str
    fund_level: str
    shortfall: str
    duplicate_rule: str
    interest_ceiling: bool
    method: str
    day_count: str
    above_lpr_ppm: int
    rates: tuple[tuple[str, Dated], ...]
    drawn: Window
    signed: Window
    accrued: Window
    term_months: int
    base: str
    loan_types: tuple[str, ...]
    purpose_fields: tuple[str, ...]
    region_prefix: str
    industry: tuple[str, int, int] | None
    titles: tuple[str, ...]
    ownership: tuple[str, ...]
    sizes: tuple[str, ...]
    refused_environment: tuple[str, ...]
    refused_tax: tuple[str, ...]
    refuse_dishonest: bool
    refuse_overdue: bool
    rate_ceiling_ppm: int | None
    one_bank: bool
    principal_caps: tuple[PrincipalCap, ...]
    amount_caps: tuple[AmountCap, ...]
    tiers_off: tuple[TierOff, ...]
    fund_method: str
    guarantee: GuaranteeFee | None
    decisions: tuple[Citation, ...]
    citations: tuple[Citation, ...]
    papers: tuple[PaperRule, ...] = ()

    @property
    def tiers(self) -> tuple[str, ...]:
        """The tiers that pay, highest first."""
        return tuple(tier for tier in TIERS if tier in dict(self.rates))

    @property
    def needs_lpr(self) -> bool:
        """Whether a note must wait for an LPR fixing (domain D15)."""
        return self.rate_ceiling_ppm is not None or self.method == "interest_to_lpr_plus"

    @property
    def basis(self) -> int:
        """Days of a year in the day count; 0 where the method counts no days."""
        return {"": 0, "actual_365": 365}.get(self.day_count, 360)

    def rate_of(self, tier: str) -> Dated | None:
        """What one tier pays, or nothing."""
        return dict(self.rates).get(tier)

    def cite(self, key: str) -> Citation:
        """The source of one value, by its key in the file (`rate.tiers.central`, `D7`)."""
        return next(c for c in (*self.citations, *self.decisions) if c.key == key)
