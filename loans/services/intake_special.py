"""What a few kinds need beyond the common path of `intake`."""

from __future__ import annotations

from config.kernel.services import bulk
from loans.services.target_parts import Check, Target

# A paid row completes its plan: same note, period and due, whether the plan came before or with it.
PLAN_DIFFERS = Check(
    """
    SELECT r.row, 'reference', r.reference,
           '与同流水号计划行（已存编号 ' || t.id || '）的借据、计息期或应收利息不同，只可补实收利息和收息日'
           || ' / differs from its planned row: only interest_paid and collected_on may'
    FROM resolved r JOIN loans_interestcollection t
      ON t.origin_id = r.origin_id AND t.reference = r.reference AND t.interest_paid_fen IS NULL
    WHERE r.fresh AND r.interest_paid_fen IS NOT NULL
      AND (t.note_id, t.period_start, t.period_end, t.interest_due_fen)
          IS DISTINCT FROM (r.note_id, r.period_start, r.period_end, r.interest_due_fen)
    """
)


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


def after_writing(*, kind: str) -> None:
    """Let the scope of transferred notes follow their latest move."""
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
