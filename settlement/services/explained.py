"""The shape of an explanation: plain values for a terminal, an API, a PDF or a page to format.

Amounts in fen, products in fen-days, rates in 10⁻⁸ a year unless said; periods are half-open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TypeAlias

from loans.selectors.notes import NoteCard
from settlement.engine import Terms
from settlement.selectors.working import GuaranteeLine, PostingLine

Value: TypeAlias = str | int | date | None
Records: TypeAlias = tuple[tuple[Value, ...], ...]
Tiers: TypeAlias = tuple[int, int, int]
"""Amounts of the central, provincial and municipal tier."""


@dataclass(frozen=True)
class Source:
    """Where a value comes from: an article of a document, or why it is assumed."""

    key: str
    document: str
    article: str
    assumed_because: str


Sources: TypeAlias = tuple[Source, ...]


def cite(terms: Terms, *keys: str) -> Sources:
    """The sources of these values of a scheme file; a value that the file does not state has none."""
    known = {one.key: one for one in (*terms.citations, *terms.decisions)}
    return tuple(
        Source(key, terms.document, known[key].article, known[key].assumed_because)
        for key in keys
        if key in known
    )


@dataclass(frozen=True)
class SchemeText:
    """The version of a scheme that was used."""

    code: str
    name_zh: str
    name_en: str
    document: str
    version: int
    sha256: str
    is_in_force: bool


@dataclass(frozen=True)
class Refusal:
    """One reason against a label: what the rule demands and what the note or borrower has.

    Both are records of values, in the order that `explained_labels.REFUSALS` documents.
    """

    reason: str
    wanted: Records
    found: Records
    sources: Sources


@dataclass(frozen=True)
class PrincipalCapStep:
    """A principal cap as it met the note: `used_fen` by notes drawn earlier (D4)."""

    per: str
    span: str
    loan_types: tuple[str, ...]
    limit_fen: int
    used_fen: int
    before_fen: int
    after_fen: int
    sources: Sources


@dataclass(frozen=True)
class EligibleAmount:
    """Principal or equipment amount in the note's currency, in CNY, and after principal caps."""

    base: str
    amount_fen: int
    currency: str
    exchange_rate_e8: int
    converted_fen: int
    caps: tuple[PrincipalCapStep, ...]
    eligible_fen: int
    sources: Sources


@dataclass(frozen=True)
class CommitmentPart:
    """Days at one rate (all tiers together) of a note's expected subsidy."""

    starts_on: date
    ends_on: date
    days: int
    rate: int


@dataclass(frozen=True)
class Commitment:
    """The expected subsidy against the drawdown year's fund (D16); no fund recorded = no limit.

    commitment = half-up(eligible × Σ days × rate ÷ divisor).
    """

    year: int
    parts: tuple[CommitmentPart, ...]
    eligible_fen: int
    basis: int
    divisor: int
    commitment_fen: int
    fund_fen: int | None
    used_fen: int
    fits: bool
    sources: Sources


@dataclass(frozen=True)
class TierOff:
    """A tier that pays nothing because the project has eligible notes under another group.

    `notes` are those in the reader's scope (institution code, number), `others` counts the rest.
    """

    tier: str
    group: str
    notes: tuple[tuple[str, str], ...]
    others: int
    sources: Sources


@dataclass(frozen=True)
class Lpr:
    """The fixing that counts for a note (D15), in parts per million; None where none is known."""

    tenor_years: int
    published_on: date | None
    rate_ppm: int | None
    sources: Sources


@dataclass(frozen=True)
class LabelWorking:
    """The judgement of one label. `status` is `unjudged` where none is stored yet."""

    scheme: SchemeText
    position: int
    status: str
    refusals: tuple[Refusal, ...]
    eligible: EligibleAmount | None
    commitment: Commitment | None
    subsidised_from: date | None
    subsidised_until: date | None
    term_months: int
    window_sources: Sources
    tiers_off: tuple[TierOff, ...]
    lpr: Lpr | None


@dataclass(frozen=True)
class Collection:
    """Interest collected: one row of the evidence."""

    collection_id: int
    reference: str
    collected_on: date
    period_start: date
    period_end: date
    due_fen: int
    paid_fen: int


@dataclass(frozen=True)
class Segment:
    """Days of unchanged balance, status and rate. `days` are 0 where nothing is subsidised."""

    starts_on: date
    ends_on: date
    balance_fen: int
    base_fen: int
    days: int
    product: int
    stops: tuple[str, ...]


@dataclass(frozen=True)
class Gap:
    """Days of the period outside the note's subsidised time, and why.

    `why`: before_drawdown, before_accrual, after_term, rejected, after_accrual, already_paid (by the system
    before this one).
    """

    starts_on: date
    ends_on: date
    why: str
    sources: Sources


@dataclass(frozen=True)
class RatedProduct:
    """The part of a product that one rate of a tier applies to.

    `rate` is 10⁻⁸ a year; for a percentage of interest it is parts per million of the interest.
    """

    rate: int
    product: int
    sources: Sources


@dataclass(frozen=True)
class TierWorking:
    """One tier of a deduction.

    `whole` is the whole period's subsidy in fen, exact: numerator ÷ denominator, times the interest
    due for a percentage of interest. Earned to date is half-up(whole × paid ÷ due), raw is earned −
    before.
    """

    tier: str
    rates: tuple[RatedProduct, ...]
    numerator: int
    denominator: int
    whole: Fraction
    earned_fen: int
    before_fen: int
    raw_fen: int
    granted_fen: int
    is_off: bool


@dataclass(frozen=True)
class DuplicateStep:
    """Net-off or higher-of: own amount of note, scheme and year to date against all others'.

    after = max(target − granted_before, 0); target = own − others (net off), or own if above the
    others, else 0 (higher of).
    """

    rule: str
    own_fen: int
    others_fen: int
    target_fen: int
    granted_before_fen: int
    before_fen: int
    after_fen: int
    sources: Sources


@dataclass(frozen=True)
class CapStep:
    """A ceiling or cap: after = min(before, max(limit − used, 0)).

    `used_parts` add up to `used_fen`: granted here, opening, outside, leasing.
    """

    reason: str
    limit_fen: int
    used_fen: int
    before_fen: int
    after_fen: int
    used_parts: tuple[tuple[str, int], ...]
    sources: Sources

    @property
    def room_fen(self) -> int:
        """What is left of the limit."""
        return max(self.limit_fen - self.used_fen, 0)

    @property
    def is_cut(self) -> bool:
        """Whether it lowers what the earlier ones left."""
        return self.after_fen < self.before_fen


@dataclass(frozen=True)
class ProRata:
    """A year's fund shared in proportion: own × fund ÷ all, floored, spare fen to the largest."""

    year: int
    fund_fen: int
    all_fen: int
    before_fen: int
    after_fen: int
    sources: Sources


@dataclass(frozen=True)
class TakenBack:
    """One tier of a row that lowers what was paid: −half-up(granted × lowered ÷ earned before)."""

    tier: str
    granted_fen: int
    lowered_fen: int
    earned_before_fen: int
    change_fen: int


@dataclass(frozen=True)
class DeductionWorking:
    """One collection under one scheme, from days to posted rows.

    `payments` are those of the period up to this one, in order of service. `difference` is what a
    run would still post per tier; None where posted equals target. `blocked_by`: findings, as #number
    and rule, that keep what a difference would pay waiting (F5).
    """

    collection: Collection
    scheme: SchemeText
    is_eligible: bool
    currency: str
    method: str
    day_count: str
    basis: int
    eligible_fen: int
    principal_fen: int
    rate_ppm: int
    lpr: Lpr | None
    above_lpr_ppm: int
    segments: tuple[Segment, ...]
    gaps: tuple[Gap, ...]
    days: int
    product: int
    full_product: int | None
    payments: tuple[Collection, ...]
    paid_so_far_fen: int
    paid_fen: int
    tiers: tuple[TierWorking, ...]
    raw_fen: int
    duplicate: DuplicateStep | None
    caps: tuple[CapStep, ...]
    pro_rata: ProRata | None
    taken_back: tuple[TakenBack, ...]
    granted_fen: int
    cut_reasons: tuple[str, ...]
    postings: tuple[PostingLine, ...]
    difference: Tiers | None
    blocked_by: tuple[str, ...]
    sources: dict[str, Sources]

    @property
    def cut_fen(self) -> int:
        """What ceilings and caps took."""
        return self.raw_fen - self.granted_fen

    @property
    def posted_fen(self) -> int:
        """Original and differences together, all tiers."""
        return sum(sum(line.change_fen) for line in self.postings)


@dataclass(frozen=True)
class GuaranteeWorking:
    """A guarantee-fee subsidy: half-up(principal × rate × months ÷ 12), or why there is none."""

    line: GuaranteeLine
    rate: int
    sources: Sources


@dataclass(frozen=True)
class Explanation:
    """Everything about one note: judgement of each label, then each collection × scheme.

    `is_judged_current` and `is_posted_current` say whether anything was told since; `later` are
    collections after the day the book is run through (listed only where a shared fund makes an
    earlier answer meaningless), `planned` interest that is not collected yet.
    """

    note: NoteCard
    labels: tuple[LabelWorking, ...]
    guarantees: tuple[GuaranteeWorking, ...]
    deductions: tuple[DeductionWorking, ...]
    later: tuple[Collection, ...]
    planned: tuple[tuple[str, date], ...]
    is_judged_current: bool
    is_posted_current: bool
