"""Posting what a chunk of a run found due: deductions, and the money they move (domain §5, D19, D20).

What a finding of the duplicate check blocks is left out, and waits until that is dismissed (F5).

One entry per chunk × fund institution × scheme × tier × month of collection, amounts paid and amounts
taken back apart. Funds are locked first and in order, so that what is available stays true.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from config.kernel.models import Chunk
from config.kernel.services import bulk
from settlement.engine import TIERS, entries
from settlement.engine.holding import Wanted, withheld
from settlement.engine.lapse import Standing
from settlement.models import Event
from settlement.selectors import deductions
from settlement.selectors.institutions import fund_institutions
from settlement.selectors.lapses import Key, standing
from settlement.selectors.reservations import Reservation, reserved_fund_ids
from settlement.services import (
    debts,
    funds,
    lapses,
    notices,
    payouts,
    province_events,
    reservations,
)
from settlement.services.blocked import blocked_rows
from settlement.services.debts import Cause, Debtor, Owed
from settlement.services.funds import FundKey, Held, Posting
from settlement.services.lapses import Lapse
from settlement.services.schemes import Book
from settlement.services.targets import Evidence

STAGE = {
    "collection_id": "bigint",
    "scheme_id": "bigint",
    "note_id": "bigint",
    "collected_on": "date",
    "sequence": "bigint",
    **dict.fromkeys((*deductions.STATE, *deductions.MONEY), "bigint"),
    "why": "text",
    "institution_id": "bigint",
    "fund_institution_id": "bigint",
    "version_id": "bigint",
}
FUND = ("fund_institution_id", "scheme_id", "tier")
OWING = ["institution_id", "note_id", "enterprise_id", "fund_id", "year"]
D9 = ("collected_on", "institution_code", "note_number", "period_start", "reference", "priority")


@dataclass(frozen=True)
class Posted:
    """What was posted, the enterprises some of whose deductions wait for money, and how much is blocked."""

    rows: pl.DataFrame
    held_rows: int
    held_enterprises: frozenset[int]
    blocked: pl.DataFrame


def post_chunk(
    *,
    due: pl.DataFrame,
    settled: Collection[Reservation],
    chunk: Chunk,
    at: datetime,
    book: Book,
    evidence: Evidence,
) -> Posted:
    """Write due rows and their money in the transaction of the chunk.

    What was reserved for collections now `settled` is freed first. Where a scheme holds instead of
    advancing, rows the fund does not suffice for are left out; what was reserved for some is theirs.
    So are rows that a finding blocks, but for what a plan has let the core deduct.
    """
    if due.is_empty():
        held_for = funds.lock(fund_ids=reserved_fund_ids(settled)) if settled else {}
        reservations.release_posted(settled=settled, held=held_for)
        return Posted(due, 0, frozenset(), due)
    everything = with_fund(due, book).with_row_index("number")
    blocked = blocked_rows(everything, evidence=evidence)
    due = everything.join(blocked, on="number", how="anti", maintain_order="left")
    parts = _parts(due)
    held = _lock(parts, settled, blocked=blocked)
    parts = _with_fund_id(parts, held)
    claims = standing(note_ids=parts["note_id"].unique().to_list())
    reserved = [(one.result_id, one.scheme_id) for one in settled if one.amounts]
    waiting = _withheld(
        due, parts, held, claims=claims, reserved=reserved, book=book, evidence=evidence
    )
    is_held = pl.col("number").is_in(list(waiting))
    posted = due.filter(~is_held)
    _insert(posted, run_id=chunk.run_id, at=at, book=book)
    cause = Cause(chunk_id=chunk.pk, on=at.date(), at=at, actor=chunk.run.actor)
    _move_money(parts.filter(~is_held), held, cause, claims=claims, source=f"run {chunk.run_id}")
    payouts.make_payouts(
        run_id=chunk.run_id, enterprise_ids=posted["enterprise_id"].unique().to_list()
    )
    if not posted.is_empty():
        province_events.subsidies_posted(at=at)
    enterprises = due.filter(is_held)["enterprise_id"].unique().to_list()
    return Posted(posted, len(waiting), frozenset(enterprises), blocked)


def with_waiting(
    *, due: pl.DataFrame, settled: Collection[Reservation], book: Book, evidence: Evidence
) -> pl.DataFrame:
    """Which of these due rows would a posting now leave waiting, and why? Nothing is locked.

    `waits` for money, `is_blocked` by a finding. `settled`: what the same posting would free first.
    """
    everything = with_fund(due, book).with_row_index("number")
    blocked = pl.col("number").is_in(
        blocked_rows(everything, evidence=evidence)["number"].to_list()
    )
    due = everything.filter(~blocked)
    parts = _parts(due)
    held = funds.as_they_are(
        keys=[FundKey(*row) for row in parts.select(FUND).unique().iter_rows()]
    )
    freed = reservations.freed(reservations=settled)
    for fund in held.values():
        fund.reserved_fen -= freed.get(fund.id, 0)
    parts = _with_fund_id(parts, held)
    waiting = _withheld(
        due,
        parts,
        held,
        claims=standing(note_ids=parts["note_id"].unique().to_list()),
        reserved=[(one.result_id, one.scheme_id) for one in settled if one.amounts],
        book=book,
        evidence=evidence,
    )
    return everything.with_columns(
        waits=pl.col("number").is_in(list(waiting)), is_blocked=blocked
    ).drop("number")


def with_fund(due: pl.DataFrame, book: Book) -> pl.DataFrame:
    """Each row's fund institution, by the scheme's fund level and where the note is today."""
    levels = {book.scheme_ids[terms.code]: terms.fund_level for terms in book.terms}
    known = [
        pl.DataFrame(
            {"institution_id": list(found), "fund_institution_id": list(found.values())},
            schema={"institution_id": pl.Int64, "fund_institution_id": pl.Int64},
        ).with_columns(pl.lit(scheme_id, dtype=pl.Int64).alias("scheme_id"))
        for scheme_id, level in levels.items()
        for found in [fund_institutions(level=level)]
    ]
    return due.join(pl.concat(known), on=["institution_id", "scheme_id"], how="left")


def _parts(due: pl.DataFrame) -> pl.DataFrame:
    """One row per due row × tier with money: whose fund, which month, how many fen."""
    shared = (
        "number", "note_id", "institution_id", "enterprise_id", "fund_institution_id", "scheme_id",
    )  # fmt: skip
    return pl.concat(
        due.select(
            *shared,
            month=pl.col("collected_on").dt.month_start(),
            year=pl.col("collected_on").dt.year(),
            tier=pl.lit(tier),
            fen=pl.col(f"{tier}_fen"),
        ).filter(pl.col("fen") != 0)
        for tier in TIERS
    )


def _lock(
    parts: pl.DataFrame, settled: Collection[Reservation], *, blocked: pl.DataFrame
) -> dict[FundKey, Held]:
    """Lock every fund concerned, and free in them what was reserved for what is settled."""
    keys = [FundKey(*row) for row in parts.select(FUND).unique().iter_rows()]
    ids = funds.open_funds(keys=keys)
    held = funds.lock(fund_ids={*ids.values(), *reserved_fund_ids(settled)})
    left_out = frozenset(blocked.select("collection_id", "scheme_id").rows())
    reservations.release_posted(settled=settled, held=held, left_out=left_out)
    return {key: held[fund_id] for key, fund_id in ids.items()}


def _with_fund_id(parts: pl.DataFrame, held: Mapping[FundKey, Held]) -> pl.DataFrame:
    ids = pl.DataFrame(
        [(*key[:3], fund.id) for key, fund in held.items()],
        schema={FUND[0]: pl.Int64, FUND[1]: pl.Int64, FUND[2]: pl.String, "fund_id": pl.Int64},
        orient="row",
    )
    return parts.join(ids, on=list(FUND), how="left")


def _withheld(
    due: pl.DataFrame,
    parts: pl.DataFrame,
    held: Mapping[FundKey, Held],
    *,
    claims: Mapping[Key, Standing],
    reserved: Collection[tuple[int, int]],
    book: Book,
    evidence: Evidence,
) -> set[int]:
    """Rows that wait: in the order of service (D9), what the fund of a holding scheme cannot pay.

    Rows (collection, scheme) whose money was `reserved` until now come before all others.
    """
    priority = {
        book.scheme_ids[terms.code]: terms.priority
        for terms in book.terms
        if terms.shortfall == "hold"
    }
    available = {
        fund.id: fund.available_fen for key, fund in held.items() if key.scheme_id in priority
    }
    if not available:
        return set()
    asking = parts.filter(pl.col("fund_id").is_in(list(available)))
    places = _places(due, priority, reserved=reserved, evidence=evidence)
    grouped = (
        asking.join(places, on="number")
        .group_by("number", "place", "enterprise_id")
        .agg("fund_id", "fen")
        .sort("place")
    )
    lapsing = _lapsing(asking, claims)
    owed = debts.open_debts(
        enterprise_ids=asking["enterprise_id"].unique().to_list(), fund_ids=list(available)
    )
    return withheld(
        (
            Wanted(number, enterprise, tuple(zip(fund_ids, fens, strict=True)))
            for number, _, enterprise, fund_ids, fens in grouped.iter_rows()
        ),
        available=available,
        owed={
            debtor: sum(one.open_fen for one in owed.get(debtor, ())) - lapsing[debtor]
            for debtor in owed.keys() | lapsing.keys()
        },
    )


def _lapsing(parts: pl.DataFrame, claims: Mapping[Key, Standing]) -> Counter[Debtor]:
    """What rows of nothing but negative parts lower without its being owed anew: it is claimed already."""
    found: Counter[Debtor] = Counter()
    if claims:
        lowering = parts.filter(pl.col("fen").max().over("number") < 0)
        for _, note_id, enterprise_id, fund_id, year, fen in _sums(lowering, OWING):
            if (claim := claims.get((note_id, fund_id, year))) is not None:
                found[enterprise_id, fund_id] += claim.lapsing(fen).amount_fen
    return found


def _places(
    due: pl.DataFrame,
    priority: Mapping[int, int],
    *,
    reserved: Collection[tuple[int, int]],
    evidence: Evidence,
) -> pl.DataFrame:
    """The rows' `number`s in the order of service, with their `place`; reserved ones first."""
    key = {"collection_id": pl.Int64, "scheme_id": pl.Int64}
    first = pl.DataFrame(list(reserved), schema=key, orient="row").with_columns(rank=pl.lit(0))
    return (
        due.select("number", "note_id", *key)
        .join(evidence.facts.collections.drop("note_id"), on="collection_id", how="left")
        .join(evidence.facts.notes.select("note_id", *D9[1:3]), on="note_id", how="left")
        .join(first, on=list(key), how="left")
        .with_columns(
            priority=pl.col("scheme_id").replace_strict(priority, default=0),
            rank=pl.col("rank").fill_null(1),
        )
        .sort("rank", *D9)
        .select("number")
        .with_row_index("place")
    )


def _insert(due: pl.DataFrame, *, run_id: int, at: datetime, book: Book) -> None:
    """Write originals and differences with their notices; the month in the id is the collection's own."""
    versions = {book.scheme_ids[code]: version for code, version in book.version_ids.items()}
    bulk.create_stage("due", STAGE)
    bulk.fill_stage(
        "due",
        due.with_columns(
            pl.col("scheme_id").replace_strict(versions, return_dtype=pl.Int64).alias("version_id")
        ).select(list(STAGE)),
    )
    columns = ", ".join(STAGE)
    tiers = [pl.col(f"{tier}_fen") for tier in TIERS]
    notices.insert_with_notices(
        insert=f"INSERT INTO settlement_deduction (id, run_id, posted_on, {columns}) "
        f"SELECT settlement_deduction_id(collection_id), %s, %s, {columns} FROM due",
        params=[run_id, at.date()],
        at=at,
        corrects=not due.filter(
            (pl.col("sequence") > 0) | (pl.min_horizontal(tiers) < 0)
        ).is_empty(),
    )


def _move_money(
    parts: pl.DataFrame,
    held: Mapping[FundKey, Held],
    cause: Cause,
    *,
    claims: Mapping[Key, Standing],
    source: str,
) -> None:
    """Take back what was lowered, then pay what is due, less what is offset against debts."""
    by_id = {fund.id: fund for fund in held.values()}
    lowered = parts.filter(pl.col("fen") < 0)
    months = ["fund_id", "month"]
    for fund_id, month, fen in _sums(lowered, months):
        fund = by_id[fund_id]
        lines = entries.negative_difference(-fen)
        _post(fund, Event.NEGATIVE_DIFFERENCE, lines, month, cause, source)
    owed = Counter({tuple(key): -fen for *key, fen in _sums(lowered, OWING)})
    owed.subtract(_lapse(parts, by_id, cause, claims=claims))
    rows = [(*key, fen) for key, fen in sorted(owed.items()) if fen]
    debts.owe(amounts=[Owed(*row) for row in rows], cause=cause)
    paid = parts.filter(pl.col("fen") > 0)
    offsets = _offset(paid, cause)
    for fund_id, month, fen in _sums(paid, months):
        fund = by_id[fund_id]
        lines = entries.deduction(
            fen, offset_fen=offsets[fund_id, month], available_fen=fund.available_fen
        )
        _post(fund, Event.DEDUCTION, lines, month, cause, source)


def _lapse(
    parts: pl.DataFrame, held: Mapping[int, Held], cause: Cause, *, claims: Mapping[Key, Standing]
) -> dict[tuple[int, ...], int]:
    """Let claims lapse where the same money was lowered, or come back; how much, by who owes what."""
    found = {}
    for *key, fen in _sums(parts, OWING) if claims else ():
        institution_id, note_id, _, fund_id, year = key
        if (claim := claims.get((note_id, fund_id, year))) is not None:
            lapsed = claim.lapsing(fen)
            lapse = Lapse(institution_id, note_id, year, cause.chunk_id)
            lapses.book(
                lapse=lapse, lapsed=lapsed, fund=held[fund_id], on=cause.on, actor=cause.actor
            )
            found[tuple(key)] = lapsed.amount_fen
    return found


def _offset(paid: pl.DataFrame, cause: Cause) -> dict[tuple[int, date], int]:
    """Offset deductions against their enterprises' debts; what was, by fund and month."""
    found: dict[tuple[int, date], int] = defaultdict(int)
    if paid.is_empty():
        return found
    open_debts = debts.open_debts(
        enterprise_ids=paid["enterprise_id"].unique().to_list(),
        fund_ids=paid["fund_id"].unique().to_list(),
    )
    if not open_debts:
        return found
    for fund_id, month, enterprise_id, fen in _sums(paid, ["fund_id", "month", "enterprise_id"]):
        found[fund_id, month] += debts.offset(
            debts=open_debts, debtor=(enterprise_id, fund_id), amount_fen=fen, cause=cause
        )
    return found


def _post(
    fund: Held, event: Event, lines: entries.Lines, month: date, cause: Cause, source: str
) -> None:
    posting = Posting(event, cause.on, source, cause.chunk_id, cause.actor)
    funds.post(
        fund=fund, posting=posting, lines=lines, year=fund.open_year(month.year), month=month
    )


def _sums(parts: pl.DataFrame, keys: list[str]) -> list[tuple]:  # type: ignore[type-arg]
    """The sum of each group, in the order of its keys."""
    return parts.group_by(keys).agg(pl.col("fen").sum()).sort(keys).rows()
