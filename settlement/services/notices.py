"""Notices to enterprises: one with each posted deduction, and those that are sent anew (SME-14, EQ-11).

The table of deliveries is itself the outbox: its rows are written in the transaction of what they tell of
and taken up by senders at least once (A96).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction

from config.kernel.models import SCOPE_ALL, Institution
from config.kernel.services import bulk
from loans.values.errors import DomainError, bilingual
from settlement.models import Notice, NoticeDelivery, NoticeRecord, NoticeState, Scheme

logger = logging.getLogger(__name__)

WHY_CHARACTERS = 500
RESENT = {NoticeState.FAILED, NoticeState.NO_CONTACT}
Route = tuple[int, int, int]  # first and last institution, scheme; 0: every scheme
EVERY_SCHEME = 0

_TELLS = "greatest({0}.central_fen, {0}.provincial_fen, {0}.municipal_fen) > 0"
_LOWERS = "least({0}.central_fen, {0}.provincial_fen, {0}.municipal_fen) < 0"
_OWN = "deduction_id, institution_id, note_id, scheme_id, is_correction"
_BEFORE = "before_central_fen, before_provincial_fen, before_municipal_fen"
_ORIGINALS = f"""
WITH posted AS (
    {{insert}} RETURNING id, institution_id, note_id, scheme_id, sequence, central_fen, provincial_fen,
        municipal_fen
), told AS (
    INSERT INTO settlement_notice ({_OWN})
    SELECT p.id, p.institution_id, p.note_id, p.scheme_id, false FROM posted p
    WHERE p.sequence = 0 AND {_TELLS.format("p")} AND NOT {_LOWERS.format("p")}
    RETURNING deduction_id, institution_id, note_id, scheme_id
)"""

# What a period had been granted before: all that was posted until now, then this chunk's rows in order.
_CORRECTIONS = f"""
WITH periods AS (
    SELECT DISTINCT d.note_id, d.scheme_id, x.period_start, x.period_end
    FROM due d JOIN loans_interestcollection x ON x.id = d.collection_id
    WHERE d.sequence > 0 OR {_LOWERS.format("d")}
), granted AS (
    SELECT d.*, due.collection_id IS NOT NULL AS is_new,
        coalesce(sum(d.central_fen) OVER so_far, 0) AS before_central_fen,
        coalesce(sum(d.provincial_fen) OVER so_far, 0) AS before_provincial_fen,
        coalesce(sum(d.municipal_fen) OVER so_far, 0) AS before_municipal_fen
    FROM periods p
    JOIN settlement_deduction d ON d.note_id = p.note_id AND d.scheme_id = p.scheme_id
    JOIN loans_interestcollection x ON x.id = d.collection_id AND x.period_start = p.period_start
        AND x.period_end = p.period_end
    LEFT JOIN due ON due.collection_id = d.collection_id AND due.scheme_id = d.scheme_id
        AND due.sequence = d.sequence
    WINDOW so_far AS (PARTITION BY p.note_id, p.scheme_id, p.period_start, p.period_end
        ORDER BY due.collection_id IS NOT NULL, d.collected_on, d.collection_id, d.sequence
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), told AS (
    INSERT INTO settlement_notice ({_OWN}, {_BEFORE})
    SELECT g.id, g.institution_id, g.note_id, g.scheme_id, true, {_BEFORE} FROM granted g
    WHERE g.is_new AND (g.sequence > 0 OR {_LOWERS.format("g")})
        AND ({_TELLS.format("g")} OR {_LOWERS.format("g")})
    RETURNING deduction_id, institution_id, note_id, scheme_id
)"""
_DELIVERIES = """
INSERT INTO settlement_noticedelivery (notice_id, institution_id, note_id, state, next_at)
SELECT t.deduction_id, t.institution_id, t.note_id, 'waiting', %s FROM told t
WHERE EXISTS (SELECT FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS r(lo, hi, scheme_id)
    WHERE t.institution_id BETWEEN r.lo AND r.hi AND r.scheme_id IN (0, t.scheme_id))"""


def insert_with_notices(
    *, insert: str, params: Sequence[object], at: datetime, corrects: bool
) -> None:
    """Post deductions from the stage `due` by this statement, and write their notices with them.

    `corrects`: whether the stage has differences or rows that lower. Nothing is said of rows without money.
    """
    wanted = routes()
    _write(_ORIGINALS.format(insert=insert), params, wanted, at)
    if corrects:
        _write(_CORRECTIONS, [], wanted, at)


def _write(told: str, params: Sequence[object], wanted: Sequence[Route], at: datetime) -> None:
    if wanted:
        bulk.execute(told + _DELIVERIES, [*params, at, *map(list, zip(*wanted, strict=True))])
    else:
        bulk.execute(f"{told} SELECT FROM told LIMIT 0", params)


def routes() -> list[Route]:
    """For which institutions and schemes the installation sends; pairs that name none it knows are logged."""
    pairs = settings.NOTICES_FOR
    if not pairs:
        return []
    places = {
        place.code: place.scope
        for place in Institution.objects.filter(code__in=[code for code, _ in pairs])
    } | {"*": SCOPE_ALL}
    schemes = dict(Scheme.objects.values_list("code", "pk")) | {"*": EVERY_SCHEME}
    found = [
        (*places[place], schemes[scheme])
        for place, scheme in pairs
        if place in places and scheme in schemes
    ]
    if len(found) < len(pairs):
        logger.warning("NOTICES_FOR names an institution or scheme that is not registered")
    return found


@transaction.atomic
def send_anew(*, notice_ids: Collection[int], why: str, actor: str, at: datetime) -> int:
    """Have notices sent anew that failed, had no contact or no gateway; all of them or none. How many.

    Each gets a new reference, as the gateway may have refused the former one for good. DomainError
    `notice_not_failed` where one waits or was sent, `notice_no_gateway` where none is sent for its bank and
    scheme, `notice_why` without a reason.
    """
    why = why.strip()
    if not 0 < len(why) <= WHY_CHARACTERS:
        raise DomainError(
            "notice_why", bilingual("请填写重发原因", "say why it is to be sent anew")
        )
    notices = list(Notice.objects.filter(pk__in=notice_ids).order_by("pk"))
    wanted = routes()
    for notice in notices:
        _require_route(notice, wanted)
        _wait_anew(notice, at=at)
        NoticeRecord.objects.create(
            institution_id=notice.institution_id,
            note_id=notice.note_id,
            notice=notice,
            outcome=NoticeRecord.Outcome.ASKED,
            at=at,
            actor=actor,
            reference=reference(notice.pk, notice.delivery.round),
            detail=why,
        )
    return len(notices)


def _require_route(notice: Notice, wanted: Sequence[Route]) -> None:
    if not any(
        lo <= notice.institution_id <= hi and scheme in (EVERY_SCHEME, notice.scheme_id)
        for lo, hi, scheme in wanted
    ):
        raise DomainError(
            "notice_no_gateway",
            bilingual(
                f"告知 #{notice.pk}：该机构和政策未开通发送",
                f"notice #{notice.pk}: none is sent for this institution and scheme",
            ),
        )


def _wait_anew(notice: Notice, *, at: datetime) -> None:
    known = NoticeDelivery.objects.select_for_update().filter(notice=notice).first()
    if known is None:
        notice.delivery = NoticeDelivery.objects.create(
            notice=notice, institution_id=notice.institution_id, note_id=notice.note_id, next_at=at
        )
        return
    if known.state not in RESENT:
        raise DomainError(
            "notice_not_failed",
            bilingual(
                f"告知 #{notice.pk} {known.get_state_display()}，只有发送失败或无联系方式的可以重发",
                f"notice #{notice.pk} is {known.state}: only what failed or had no contact is sent anew",
            ),
        )
    known.state, known.attempts, known.next_at, known.leased_until = "waiting", 0, at, None
    known.round += 1
    known.save(update_fields=["state", "round", "attempts", "next_at", "leased_until"])
    notice.delivery = known


def reference(notice_id: int, sending: int) -> str:
    """By what a gateway knows a notice: the same however often it is tried, another once sent anew."""
    return f"TX{notice_id}-{sending}"
