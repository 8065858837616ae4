"""What settlement tells others of, as events of the outbox: each in the transaction of what it tells.

Their shapes are published (`config/kernel/events`). An event is one institution's: no amount or note
of another's is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import polars as pl
from django.db.models import QuerySet

from config.kernel.models import Chunk, Run
from config.kernel.services import bulk, outbox
from config.kernel.services.outbox import Happened
from loans.values.money import yuan_from_fen
from settlement.engine import TIERS
from settlement.models import Clawback, Finding, Fund, Scheme, Settlement, SettlementItem

MONEY = [f"{tier}_fen" for tier in TIERS]
Posted = list[list[int]]
"""Per institution and scheme: both ids, originals, differences, and fen per tier."""


def posted_by_institution(rows: pl.DataFrame) -> Posted:
    """What a chunk posted, added up, to be kept with the chunk until its run ends."""
    keys = ["institution_id", "scheme_id"]
    counts = [(pl.col("sequence") == 0).sum(), (pl.col("sequence") > 0).sum().alias("differences")]
    sums = rows.group_by(keys).agg(*counts, *(pl.col(name).sum() for name in MONEY)).sort(keys)
    return [[int(value) for value in row] for row in sums.iter_rows()]


def run_posted(*, run: Run, at: datetime) -> None:
    """Tell each institution concerned what a run that has just ended posted of each scheme."""
    totals: dict[tuple[int, int], list[int]] = {}
    for stats in Chunk.objects.filter(run=run).values_list("stats", flat=True):
        for institution_id, scheme_id, *counted in (stats or {}).get("posted", ()):
            before = totals.get((institution_id, scheme_id), [0] * len(counted))
            totals[institution_id, scheme_id] = [
                a + b for a, b in zip(before, counted, strict=True)
            ]
    codes = dict(Scheme.objects.values_list("pk", "code"))
    outbox.emit_all(
        events=(
            Happened(
                topic="run.posted",
                aggregate=f"run:{run.pk}",
                institution_id=institution_id,
                scheme_code=codes[scheme_id],
                payload={
                    "run_id": run.pk,
                    "state": run.state,
                    "through": run.params["through"],
                    "scheme_code": codes[scheme_id],
                    "originals": originals,
                    "differences": differences,
                    **_amounts(dict(zip(TIERS, fens, strict=True))),
                    "total": yuan_from_fen(sum(fens)),
                },
            )
            for (institution_id, scheme_id), (originals, differences, *fens) in sorted(
                totals.items()
            )
        ),
        at=at,
    )


def settlement_decided(*, settlement: Settlement, state: str, at: datetime) -> None:
    """Tell of finance's decision as recorded, booked or refused; the settlement is locked."""
    items = SettlementItem.objects.filter(settlement=settlement).select_related("fund")
    assert settlement.decided_on is not None, "there is a decision to tell of"
    outbox.emit(
        topic="settlement.decided",
        aggregate=f"settlement:{settlement.pk}",
        institution_id=settlement.institution_id,
        scheme_code=settlement.scheme.code,
        payload={
            "settlement_id": settlement.pk,
            "scheme_code": settlement.scheme.code,
            "kind": settlement.kind,
            "year": settlement.year,
            "part": settlement.part,
            "state": state,
            "document_number": settlement.document_number,
            "decided_on": settlement.decided_on.isoformat(),
            "items": [_item(item) for item in items.order_by("fund__tier", "fund__purpose")],
        },
        at=at,
    )


def _item(item: SettlementItem) -> dict[str, str]:
    assert item.approved_fen is not None and item.disallowed_fen is not None
    return {
        "tier": item.fund.tier,
        "purpose": item.fund.purpose,
        "claimed": yuan_from_fen(item.claimed_fen),
        "approved": yuan_from_fen(item.approved_fen),
        "disallowed": yuan_from_fen(item.disallowed_fen),
    }


def clawbacks_opened(*, opened: Sequence[Clawback], at: datetime) -> None:
    """Tell of clawbacks that are owed from now on; their funds are locked."""
    if not opened:
        return
    held = _funds(Fund.objects.filter(pk__in={one.fund_id for one in opened}))
    numbers = dict(
        bulk.rows(
            "SELECT id, note_number FROM loans_note WHERE id = ANY(%s)",
            [sorted({one.note_id for one in opened})],
        )
    )
    outbox.emit_all(
        events=(_opened(one, held[one.fund_id], numbers[one.note_id]) for one in opened), at=at
    )


def _funds(funds: QuerySet[Fund]) -> dict[int, Fund]:
    return {fund.pk: fund for fund in funds.select_related("scheme")}


def _opened(clawback: Clawback, fund: Fund, note_number: str) -> Happened:
    return Happened(
        topic="clawback.opened",
        aggregate=f"clawback:{clawback.pk}",
        institution_id=clawback.institution_id,
        scheme_code=fund.scheme.code,
        payload={
            "clawback_id": clawback.pk,
            "scheme_code": fund.scheme.code,
            "tier": fund.tier,
            "purpose": fund.purpose,
            "note_number": note_number,
            "year": clawback.year,
            "amount": yuan_from_fen(clawback.amount_fen),
            "origin": clawback.origin,
            "document_number": clawback.document_number,
        },
    )


OwnSide = tuple[str, dict[str, int]]
"""A note's number, and fen per tier claimed for it."""


def findings_opened(
    *, opened: Iterable[tuple[Finding, str, bool, Sequence[OwnSide]]], at: datetime
) -> None:
    """Tell whose findings are new or open again; each with its scheme, whether again, and own notes."""
    outbox.emit_all(
        events=(
            Happened(
                topic="finding.opened",
                aggregate=f"finding:{finding.pk}",
                institution_id=finding.institution_id,
                scheme_code=scheme_code,
                payload={
                    "finding_id": finding.pk,
                    "rule": finding.rule,
                    "severity": finding.severity,
                    "scheme_code": scheme_code,
                    "blocked_schemes": finding.blocked_schemes,
                    "reopened": reopened,
                    "notes": [number for number, _ in own],
                    **_amounts({tier: sum(fens[tier] for _, fens in own) for tier in TIERS}),
                },
            )
            for finding, scheme_code, reopened, own in opened
        ),
        at=at,
    )


def _amounts(fens: dict[str, int]) -> dict[str, Any]:
    return {tier: yuan_from_fen(fen) for tier, fen in fens.items()}
