"""Sending notices that wait: taken in batches, sent one by one, each noted before the next (A96, A97).

A sender holds what it took until a moment; killed before it noted a sending, the notice is taken up again
after that and sent with the same reference, by which the gateway knows it.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from config.kernel.services import bulk
from loans.values.contacts import masked
from settlement.models import NoticeDelivery, NoticeRecord, NoticeState
from settlement.selectors.notices import Contact, contacts
from settlement.services.gateways import (
    DETAIL_CHARACTERS,
    LONGEST_SECONDS,
    Gateway,
    Proof,
    Refused,
    Unreached,
    gateways,
)
from settlement.services.notice_texts import texts
from settlement.services.notices import reference

logger = logging.getLogger(__name__)

BATCH = 50
HOLD = timedelta(minutes=5)
ATTEMPTS_MAX = 8
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
UNREACHED_MAX = 3  # in a row: then the gateway is left alone until the next round
INTERRUPTED = "发送多次中断 / its sending was interrupted too often"
ENDS = {
    NoticeRecord.Outcome.SENT: NoticeState.SENT,
    NoticeRecord.Outcome.DELIVERED: NoticeState.DELIVERED,
    NoticeRecord.Outcome.FAILED: NoticeState.FAILED,
    NoticeRecord.Outcome.NO_CONTACT: NoticeState.NO_CONTACT,
}

_TAKE = """
UPDATE settlement_noticedelivery d SET leased_until = %(until)s, attempts = d.attempts + 1
FROM (
    SELECT notice_id FROM settlement_noticedelivery
    WHERE state = 'waiting' AND next_at <= %(at)s AND (leased_until IS NULL OR leased_until <= %(at)s)
    ORDER BY next_at, notice_id LIMIT %(batch)s FOR UPDATE SKIP LOCKED
) t WHERE d.notice_id = t.notice_id
RETURNING d.notice_id, d.institution_id, d.note_id, d.round, d.attempts"""


@dataclass(frozen=True)
class Taken:
    """A notice in this sender's hands."""

    notice_id: int
    institution_id: int
    note_id: int
    sending: int
    attempt: int

    @property
    def reference(self) -> str:
        """By what the gateway knows it."""
        return reference(self.notice_id, self.sending)


@dataclass(frozen=True)
class Tried:
    """What an attempt came to."""

    outcome: NoticeRecord.Outcome
    contact: Contact | None = None
    gateway: str = ""
    message_id: str = ""
    detail: str = ""
    sha256: str = ""


def send_waiting(
    *, actor: str, clock: Callable[[], datetime], until: datetime | None = None
) -> dict[str, int]:
    """Send what waits, until nothing is due, time is up or the gateways do not answer; counts by outcome."""
    counts: Counter[str] = Counter()
    ways = gateways()
    while ways and (until is None or clock() < until):
        held_until = clock() + HOLD
        taken = _take(at=clock(), until=held_until)
        if not taken or not _send_batch(taken, ways, held_until, counts, actor=actor, clock=clock):
            break
    return dict(counts)


def _take(*, at: datetime, until: datetime) -> list[Taken]:
    found = bulk.rows(_TAKE, {"at": at, "until": until, "batch": BATCH})
    return sorted((Taken(*row) for row in found), key=lambda one: one.notice_id)


def _send_batch(
    taken: Sequence[Taken],
    ways: dict[str, Gateway],
    held_until: datetime,
    counts: Counter[str],
    *,
    actor: str,
    clock: Callable[[], datetime],
) -> bool:
    """Send what was taken; whether it is worth going on. What there is no time for is given back."""
    numbers = [one.notice_id for one in taken]
    said = texts(notice_ids=numbers)
    places = contacts(notice_ids=numbers, channels=list(ways))
    in_vain = 0
    for place, one in enumerate(taken):
        at = clock()
        if in_vain == UNREACHED_MAX or held_until - at < timedelta(seconds=LONGEST_SECONDS):
            _give_back(taken[place:], held_until)
            return False
        tried = _try(one, said[one.notice_id], places.get(one.notice_id), ways, at=at)
        _note(one, tried, held_until, actor=actor, at=clock())
        counts[tried.outcome] += 1
        in_vain = in_vain + 1 if tried.outcome == NoticeRecord.Outcome.UNREACHED else 0
    return True


def _try(
    one: Taken, text: str, contact: Contact | None, ways: dict[str, Gateway], *, at: datetime
) -> Tried:
    if contact is None:
        return Tried(NoticeRecord.Outcome.NO_CONTACT)
    way = ways[contact.channel]
    if one.attempt > ATTEMPTS_MAX:
        return Tried(NoticeRecord.Outcome.FAILED, contact, way.name, detail=INTERRUPTED)
    digest = hashlib.sha256(text.encode()).hexdigest()
    try:
        proof = way.send(to=contact.address, text=text, reference=one.reference, at=at)
    except Refused as refusal:
        outcome, proof = NoticeRecord.Outcome.FAILED, Proof("", detail=str(refusal))
    except Exception as failure:  # noqa: BLE001 (one that fails in a new way stops no other)
        is_last = one.attempt >= ATTEMPTS_MAX
        outcome = NoticeRecord.Outcome.FAILED if is_last else NoticeRecord.Outcome.UNREACHED
        proof = Proof("", detail=str(failure) if isinstance(failure, Unreached) else repr(failure))
        logger.warning("notice %s not sent by %s: %s", one.reference, way.name, failure)
    else:
        outcome = NoticeRecord.Outcome(proof.status)
    return Tried(
        outcome, contact, way.name, proof.message_id, proof.detail[:DETAIL_CHARACTERS], digest
    )


@transaction.atomic
def _note(one: Taken, tried: Tried, held_until: datetime, *, actor: str, at: datetime) -> None:
    """Keep what came of it; where another has taken the notice up meanwhile, the attempt alone."""
    mine = NoticeDelivery.objects.filter(notice_id=one.notice_id, leased_until=held_until)
    if tried.outcome in ENDS:
        mine.update(state=ENDS[tried.outcome], leased_until=None)
    else:
        mine.update(next_at=at + wait_after(one.attempt), leased_until=None)
    contact = tried.contact
    NoticeRecord.objects.create(
        institution_id=one.institution_id,
        note_id=one.note_id,
        notice_id=one.notice_id,
        outcome=tried.outcome,
        at=at,
        actor=actor,
        reference=one.reference,
        channel="" if contact is None else contact.channel,
        gateway=tried.gateway,
        contact_id=None if contact is None else contact.contact_id,
        address="" if contact is None else masked(contact.address),
        message_id=tried.message_id,
        detail=tried.detail,
        sha256=tried.sha256,
    )


def wait_after(attempt: int) -> timedelta:
    """How long after this attempt the next may come: a minute, four, sixteen, up to six hours."""
    return min(FIRST_WAIT * int(4 ** (attempt - 1)), LONGEST_WAIT)


def _give_back(rest: Sequence[Taken], held_until: datetime) -> None:
    """Whoever comes next takes these up; that this sender held them is no attempt."""
    bulk.execute(
        "UPDATE settlement_noticedelivery SET leased_until = NULL, attempts = attempts - 1"
        " WHERE notice_id = ANY(%s) AND leased_until = %s",
        [[one.notice_id for one in rest], held_until],
    )
