"""What keeps facts and results of the same enterprise from moving under each other.

Every change of a fact raises the counter of the enterprises it may concern, with their rows locked
in primary-key order until commit. A deduction run locks the same rows, so it sees all of a change
or nothing of it, and knows by the counter whether what it posted is still the target. The locks are
`FOR NO KEY UPDATE`: a row that merely points to an enterprise is checked at COMMIT with a share of its
key, in no order, and must not wait for whoever holds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import OperationalError, transaction

from config.kernel.services import bulk
from loans.values.errors import DomainError, bilingual

INTAKE_LOCK = (
    0x696E74616B65  # shared by intakes, exclusive to whoever needs all facts to stand still
)
KIND_LOCKS = 0x696E  # of this class: one file of a kind at a time
MOVING_KINDS = frozenset({"contracts", "notes", "note-transfers"})
BUSY = "intake_busy"


@contextmanager
def patient() -> Iterator[None]:
    """Do it, or undo all of it: a lock that others hold for too long is a refusal, no fault."""
    with told_busy(), transaction.atomic():
        yield


@contextmanager
def told_busy() -> Iterator[None]:
    """The same for whoever undoes the whole transaction then."""
    try:
        yield
    except OperationalError as error:
        raise DomainError(
            BUSY,
            bilingual(
                "有其他导入或计算正在进行，请稍后再试",
                "other imports or runs are under way: try again later",
            ),
        ) from error


def lock_intake(*, kind: str) -> None:
    """One file of a kind at a time; kinds come in side by side.

    Except those that may change whose a note is, which rows of others depend on: they come alone.
    """
    if kind in MOVING_KINDS:
        hold_intake()
    else:
        bulk.rows("SELECT pg_advisory_xact_lock_shared(%s)", [INTAKE_LOCK])
    bulk.rows("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [KIND_LOCKS, kind])


def hold_intake() -> None:
    """Wait for intakes under way, and let no other begin before this transaction ends."""
    bulk.rows("SELECT pg_advisory_xact_lock(%s)", [INTAKE_LOCK])


def touch_enterprises(*, queries: Sequence[str]) -> None:
    """Raise the counter of every enterprise that these queries name."""
    if not queries:
        return
    union = " UNION ".join(f"({query})" for query in queries)
    bulk.execute(
        f"""
        WITH touched AS (
            SELECT id FROM loans_enterprise WHERE id IN ({union}) ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE loans_enterprise e SET facts_version = facts_version + 1
        FROM touched WHERE e.id = touched.id
        """
    )


def touch_notes(*, queries: Sequence[str]) -> None:
    """Raise the counter of the borrowers of every note that these queries name."""
    union = " UNION ".join(f"({query})" for query in queries)
    touch_enterprises(
        queries=[
            "SELECT c.enterprise_id FROM loans_note n JOIN loans_contract c ON c.id = n.contract_id "
            f"WHERE n.id IN ({union})"
        ]
    )


def lock_enterprises(*, enterprise_ids: Sequence[int]) -> dict[int, int]:
    """Lock these enterprises in order and say which version of their facts now holds."""
    locked = bulk.rows(
        "SELECT id, facts_version FROM loans_enterprise WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
        [list(enterprise_ids)],
    )
    return dict(locked)
