"""What a few kinds need beyond the common path of `intake`."""

from __future__ import annotations

from datetime import datetime

from config.kernel.services import bulk
from loans.selectors import written
from loans.selectors.paid_tiers import paid_tiers, tier_not_paid
from loans.services.target_parts import Target


def before_resolving(*, kind: str) -> None:
    """Give new enterprises their identity, so that the look-ups of their own file find them."""
    if kind == "enterprises":
        bulk.execute(
            "INSERT INTO loans_enterprise (uscc, facts_version) "
            "SELECT DISTINCT s.uscc, 1 FROM stage s ORDER BY 1 ON CONFLICT (uscc) DO NOTHING"
        )


def insert_collections(*, target: Target, batch_id: int) -> None:
    """Write new collections: plans first, so that completions can be linked to them."""
    columns = ", ".join(target.columns)
    bulk.execute(
        f"INSERT INTO {target.table} (id, {columns}, batch_id) "
        f"SELECT loans_collection_id(r.collected_on), {columns}, %s FROM resolved r "
        "WHERE r.fresh AND r.interest_paid_fen IS NULL ORDER BY r.row",
        [batch_id],
    )
    qualified = ", ".join(f"r.{column}" for column in target.columns)
    bulk.execute(
        f"INSERT INTO {target.table} (id, {columns}, batch_id, completes_id) "
        f"SELECT loans_collection_id(r.collected_on), {qualified}, %s, p.id FROM resolved r "
        f"LEFT JOIN {target.table} p ON p.origin_id = r.origin_id AND p.reference = r.reference "
        "AND p.interest_paid_fen IS NULL "
        "WHERE r.fresh AND r.interest_paid_fen IS NOT NULL ORDER BY r.row",
        [batch_id],
    )


def after_writing(*, kind: str, at: datetime) -> None:
    """Let the scope of transferred notes follow their latest move; tell whoever wants to know of it."""
    if kind == "note-transfers":
        bulk.execute(
            """
            SELECT loans_move_note(m.note_id, m.new_institution_id) FROM (
                SELECT DISTINCT ON (t.note_id) t.note_id, t.new_institution_id
                FROM loans_notetransfer t WHERE t.note_id IN (SELECT note_id FROM resolved)
                ORDER BY t.note_id, t.moved_on DESC
            ) m
            """
        )
    for tell in written.LISTENERS:
        tell(kind=kind, at=at)


def refused(*, kind: str) -> list[tuple[int, str, str, str]]:
    """Row, column, value and message of what only this kind is refused for.

    What is refused of pre-allocations has to be no ordinary one for `settlement.services.one_pre_allocation`, too.
    """
    if kind != "pre-allocations":
        return []
    paid = paid_tiers()
    known = {
        "codes": list(paid),
        "paid": [f"{code} {tier}" for code, tiers in paid.items() for tier in tiers],
    }
    strange = bulk.rows(
        "SELECT r.row, r.scheme_code, r.tier FROM resolved r WHERE r.fresh"
        " AND r.scheme_code = ANY(%(codes)s) AND r.scheme_code || ' ' || r.tier <> ALL(%(paid)s)"
        " ORDER BY r.row",
        known,
    )
    return [(row, "tier", tier, tier_not_paid(tier, paid[code])) for row, code, tier in strange]
