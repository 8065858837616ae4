"""Pay-outs sent in batches: made by one, checked by another; each pay-out under way once (MF-25)."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from django.db import transaction

from config.kernel.models import SCOPE_ALL
from config.kernel.services import bulk
from config.kernel.services.export import write_register
from loans.values import reasons
from loans.values.errors import DomainError, bilingual
from settlement.models import PayoutAttempt, PayoutBatch
from settlement.selectors.payout_register import PAYOUT_BATCH
from settlement.selectors.payout_states import AMOUNT, FREE, LATEST

PREPARING_LOCK = 0x7061796F  # one maker of batches at a time

_FREE = f"""
SELECT greatest(r.id, %(lo)s), array_agg(t.id), sum({AMOUNT})::bigint
FROM settlement_payout t JOIN settlement_scheme s ON s.id = t.scheme_id
JOIN kernel_institution r ON r.parent_id IS NULL AND t.institution_id BETWEEN r.id AND r.last_id
{LATEST}
WHERE t.due_on <= %(day)s AND t.institution_id BETWEEN %(lo)s AND %(hi)s AND {FREE}
    AND (%(scheme)s::text IS NULL OR s.code = %(scheme)s)
GROUP BY 1 ORDER BY 1
"""
_ATTEMPT = f"""
INSERT INTO settlement_payoutattempt (institution_id, note_id, batch_id, payout_id, attempt, state,
    amount_fen, account_name, account_number, bank_name, enterprise_name, uscc)
SELECT t.institution_id, t.note_id, %(batch)s, t.id, coalesce(l.attempt, 0) + 1, 'prepared',
    {AMOUNT}, g.account_name, g.account_number, g.bank_name, coalesce(
        (SELECT k.name FROM loans_enterpriserecord k WHERE k.enterprise_id = e.id
        ORDER BY k.valid_from <= %(day)s DESC, abs(k.valid_from - %(day)s) LIMIT 1), ''), e.uscc
FROM settlement_payout t JOIN loans_payoutagreement g ON g.id = t.agreement_id
JOIN loans_note n ON n.id = t.note_id JOIN loans_contract c ON c.id = n.contract_id
JOIN loans_enterprise e ON e.id = c.enterprise_id {LATEST}
WHERE t.id = ANY(%(ids)s) ORDER BY t.id
"""


@transaction.atomic
def prepare(
    *,
    day: date,
    actor: str,
    at: datetime,
    scope: tuple[int, int] = SCOPE_ALL,
    scheme: str | None = None,
) -> list[int]:
    """Put what is due by `day` and not under way into a batch per bank; the numbers of those made.

    A pay-out whose last attempt failed, or whose batch was refused, is tried again, to the account
    its agreement now gives. Repeating it, or two at once, adds nothing.
    """
    bulk.rows("SELECT pg_advisory_xact_lock(%s)", [PREPARING_LOCK])
    asked = {"day": day, "lo": scope[0], "hi": scope[1], "scheme": scheme}
    return [
        _make(institution_id, ids, fen, day=day, actor=actor, at=at)
        for institution_id, ids, fen in bulk.rows(_FREE, asked)
    ]


def _make(
    institution_id: int, ids: list[int], fen: int, *, day: date, actor: str, at: datetime
) -> int:
    batch = PayoutBatch.objects.create(
        institution_id=institution_id,
        day=day,
        count=len(ids),
        amount_fen=fen,
        made_by=actor,
        made_at=at,
    )
    bulk.execute(_ATTEMPT, {"batch": batch.pk, "day": day, "ids": ids})
    return int(batch.pk)


def check_batch(*, batch_id: int, actor: str, at: datetime) -> None:
    """Let a second person send a batch. Refuses one's own, and one that no longer waits."""
    _end(batch_id, PayoutBatch.State.SENT, PayoutAttempt.State.SENT, actor, at, "")


def refuse_batch(*, batch_id: int, actor: str, at: datetime, comment: str) -> None:
    """Let a second person refuse a batch, saying why: its pay-outs are free for the next one."""
    why = reasons.required(comment)
    _end(batch_id, PayoutBatch.State.REFUSED, PayoutAttempt.State.REFUSED, actor, at, why)


@transaction.atomic
def _end(
    batch_id: int,
    state: PayoutBatch.State,
    attempt: PayoutAttempt.State,
    actor: str,
    at: datetime,
    comment: str,
) -> None:
    batch = PayoutBatch.objects.select_for_update().get(pk=batch_id)
    _refuse_check(batch, actor)
    PayoutBatch.objects.filter(pk=batch_id).update(
        state=state, checked_by=actor, checked_at=at, comment=comment
    )
    moved = PayoutAttempt.objects.filter(batch=batch, state="prepared").update(state=attempt)
    if moved != batch.count:
        raise DomainError(
            "batch_out_of_scope",
            bilingual(
                f"批次 {batch} 有借据已划出您的机构范围，请由管理员复核",
                "a note of it has left your institutions: have an administrator check it",
            ),
        )


def _refuse_check(batch: PayoutBatch, actor: str) -> None:
    if batch.state != PayoutBatch.State.PREPARED:
        raise DomainError(
            "batch_not_waiting",
            bilingual(
                f"批次 {batch} 不是待复核状态，不能再复核",
                "the batch no longer waits for a check: nothing was changed",
            ),
        )
    if batch.made_by == actor:
        raise DomainError(
            "own_batch",
            bilingual(
                f"批次 {batch} 由 {actor} 经办，须由他人复核", "made by you: another must check it"
            ),
        )


def write_batch(*, batch_id: int, path: Path, file_format: str, scope: tuple[int, int]) -> int:
    """Write the file of a sent batch, the same each time; returns its rows. Refuses any other."""
    batch = PayoutBatch.objects.filter(
        pk=batch_id, institution_id__gte=scope[0], institution_id__lte=scope[1]
    ).first()
    if batch is None:
        raise DomainError(
            "batch_unknown",
            bilingual(
                f"没有拨付批次 {batch_id}，或不在您的机构范围内",
                "unknown batch, or outside your scope",
            ),
        )
    if batch.state != PayoutBatch.State.SENT:
        raise DomainError(
            "batch_not_sent",
            bilingual(
                f"批次 {batch} {batch.get_state_display()}，须复核通过后才能导出",
                f"the batch is {batch.state}: only a checked batch is exported, have it checked",
            ),
        )
    return write_register(
        register=PAYOUT_BATCH,
        path=path,
        file_format=file_format,
        scope=None,
        filters={"batch": batch_id},
    )
