"""Booking what finance paid ahead, once a second person has checked it (SME-12, EQ-06, MF-23, ST-16)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import ProgrammingError, transaction
from django.utils.timezone import localtime
from psycopg.errors import InsufficientPrivilege

from config.kernel.models import SCOPE_ALL
from config.kernel.services import bulk
from loans.selectors.paid_tiers import paid_tiers, tier_not_paid
from loans.values import reasons
from loans.values.errors import DomainError, bilingual
from settlement.engine import entries
from settlement.models import Event, Fund, Receipt, ReceiptRefusal
from settlement.selectors import receipts
from settlement.selectors.institutions import fund_institutions
from settlement.services import funds
from settlement.services.funds import FundKey, InsufficientFunds, Posting
from settlement.services.schemes import Book, holding_schemes, terms_in_force


class Short(NamedTuple):
    """A reversal that its fund cannot bear."""

    document_number: str
    refusal: InsufficientFunds


@dataclass(frozen=True)
class Booked:
    """How many receipts were booked, how many fen in all, and how many still wait for a checker.

    `strange`: documents not booked because their scheme pays nothing of that tier. `short`: those that
    take back more than a fund that holds has, with what it has.
    """

    receipts: int
    amount_fen: int
    waiting: int
    strange: tuple[str, ...] = ()
    short: tuple[Short, ...] = ()


ABOVE = "pre_allocation_scope"
RECEIPT_LOCK = 0x72656370  # booked or refused, not both

_OPEN = """
FROM loans_preallocation p LEFT JOIN LATERAL loans_brought_by(p.batch_id) b ON true
WHERE coalesce(b.actor, 'system') <> %(actor)s AND (%(ids)s::bigint[] IS NULL OR p.id = ANY(%(ids)s))
    AND (%(made_by)s::text IS NULL OR coalesce(b.actor, 'system') = %(made_by)s)
    AND p.institution_id BETWEEN %(lo)s AND %(hi)s
    AND (p.scheme_code || ' ' || p.tier = ANY(%(paid)s) OR p.scheme_code <> ALL(%(codes)s))
    AND NOT EXISTS (SELECT 1 FROM settlement_receipt r WHERE r.pre_allocation_id = p.id)
    AND NOT EXISTS (SELECT 1 FROM settlement_receiptrefusal r WHERE r.pre_allocation_id = p.id)
ORDER BY p.id
"""
_CHECK = f"""
INSERT INTO settlement_receipt
    (institution_id, pre_allocation_id, made_by, made_at, checked_by, checked_at)
SELECT p.institution_id, p.id, coalesce(b.actor, 'system'), coalesce(b.at, %(at)s), %(actor)s, %(at)s
{_OPEN}
"""
_STRANGE = """
SELECT p.document_number || ' ' || p.scheme_code || ' ' || p.tier FROM loans_preallocation p
WHERE p.scheme_code = ANY(%(codes)s) AND p.scheme_code || ' ' || p.tier <> ALL(%(paid)s)
    AND p.institution_id BETWEEN %(lo)s AND %(hi)s
    AND NOT EXISTS (SELECT 1 FROM settlement_receiptrefusal r WHERE r.pre_allocation_id = p.id)
ORDER BY p.id
"""
_TIER = "SELECT p.scheme_code, p.tier FROM loans_preallocation p WHERE p.id = %s"
_CHECKED = """
SELECT p.id, p.institution_id, s.id, p.tier, p.purpose, p.received_on, p.amount_fen, p.document_number
FROM loans_preallocation p JOIN settlement_scheme s ON s.code = p.scheme_code
WHERE p.id = ANY(%s) ORDER BY p.received_on, p.id
"""
_WAITING = """
SELECT count(*) FROM loans_preallocation p
WHERE NOT EXISTS (SELECT 1 FROM settlement_receipt r WHERE r.pre_allocation_id = p.id)
    AND NOT EXISTS (SELECT 1 FROM settlement_receiptrefusal r WHERE r.pre_allocation_id = p.id)
"""


@transaction.atomic
def book_pre_allocations(
    *,
    actor: str,
    at: datetime,
    ids: Collection[int] | None = None,
    made_by: str | None = None,
    scope: tuple[int, int] = SCOPE_ALL,
) -> Booked:
    """Let `actor` check these pre-allocations (None: all) and book them, oldest first.

    `made_by` and `scope` narrow them to what one person brought in, and to some institutions. Left
    alone: what the actor brought in, what is booked, a tier the scheme does not pay, and what takes
    back more than a fund that holds has (A100). Money goes to the fund that pays for the institution
    named, like a deduction's (domain §5), and repays the bank's own advance first (D19). Each belongs
    to the year it was received in, or to the open one if that is settled.
    """
    book = terms_in_force()
    bulk.rows("SELECT pg_advisory_xact_lock(%s)", [RECEIPT_LOCK])
    known = {
        "codes": [terms.code for terms in book.terms],
        "paid": [f"{terms.code} {tier}" for terms in book.terms for tier in terms.tiers],
        "lo": scope[0],
        "hi": scope[1],
    }
    narrow = {"ids": None if ids is None else sorted(ids), "made_by": made_by}
    asked: dict[str, Any] = {**known, **narrow, "actor": actor, "at": at}
    rows = bulk.rows(_CHECKED, [[key for (key,) in bulk.rows(f"SELECT p.id {_OPEN}", asked)]])
    posted, short = _receive(rows, book, actor=actor, at=at)
    bulk.execute(_CHECK, asked | {"ids": [*posted]})
    ((waiting,),) = bulk.rows(_WAITING)
    strange = tuple(text for (text,) in bulk.rows(_STRANGE, known))
    return Booked(len(posted), sum(posted.values()), waiting, strange, short)


def _receive(
    rows: Sequence[tuple[Any, ...]], book: Book, *, actor: str, at: datetime
) -> tuple[dict[int, int], tuple[Short, ...]]:
    """Post them one after the other: fen by pre-allocation, and those their funds cannot bear."""
    keys = _funds(rows, book)
    holding = holding_schemes(book)
    _lock(set(keys.values()))
    posted: dict[int, int] = {}
    short: list[Short] = []
    for key, _, scheme, _, _, day, fen, document in rows:
        posting = Posting(Event.PRE_ALLOCATION, at.date(), document, key, actor)
        holds = scheme in holding
        try:
            funds.receive(
                key=keys[key], amount_fen=fen, posting=posting, year=day.year, holds=holds
            )
            posted[key] = fen
        except InsufficientFunds as refusal:
            short.append(Short(document, refusal))
    return posted, tuple(short)


@transaction.atomic
def book_at_once(
    *, ids: Collection[int], made_by: str, checker: str, at: datetime, scope: tuple[int, int]
) -> bool:
    """Let the stand-in check and book what was just told, all of it; False if it waits for a person.

    It waits where the fund is that of an institution above. Raises InsufficientFunds, with nothing
    booked, where one of them takes back too much.
    """
    try:
        booked = book_pre_allocations(actor=checker, at=at, ids=ids, made_by=made_by, scope=scope)
    except DomainError as refusal:
        if refusal.code != ABOVE:
            raise
        return False
    if booked.short:
        raise booked.short[0].refusal
    return True


def _funds(rows: Iterable[tuple[Any, ...]], book: Book) -> dict[int, FundKey]:
    """Pre-allocation → the fund that pays for the institution it names."""
    levels = {book.scheme_ids[terms.code]: terms.fund_level for terms in book.terms}
    places = {level: fund_institutions(level=level) for level in set(levels.values())}
    return {
        key: FundKey(
            places[levels[scheme]][place] if scheme in levels else place, scheme, tier, purpose
        )
        for key, place, scheme, tier, purpose, *_ in rows
    }


def _lock(keys: set[FundKey]) -> None:
    """All funds at once, in the order in which runs lock them: nobody waits in a circle."""
    try:
        with transaction.atomic():
            ids = funds.open_funds(keys=keys).values()
    except ProgrammingError as refused:
        if not isinstance(refused.__cause__, InsufficientPrivilege):
            raise
        raise DomainError(
            ABOVE,
            bilingual(
                "资金账在上级资金机构，请由该机构的复核人入账",
                "the fund is that of an institution above: a checker there books it",
            ),
        ) from refused
    funds.lock(fund_ids=ids)


@transaction.atomic
def book_pre_allocation(*, pre_allocation_id: int, actor: str, at: datetime) -> None:
    """Let `actor` check and book one; DomainError as of `why_not_booked`, or `pre_allocation_scope`."""
    booked = book_pre_allocations(actor=actor, at=at, ids=[pre_allocation_id])
    if booked.receipts:
        return
    if booked.short:
        raise booked.short[0].refusal
    raise why_not_booked(pre_allocation_id=pre_allocation_id, actor=actor) or DomainError(
        "pre_allocation_not_booked", bilingual("未入账，请重试", "not booked: try again")
    )


def why_not_booked(*, pre_allocation_id: int, actor: str) -> DomainError | None:
    """Why this person cannot book it; None if nothing is in the way.

    `pre_allocation_unknown` (or out of sight), `pre_allocation_answered`, `own_work`, `tier_not_paid`,
    `insufficient_funds`.
    """
    found = bulk.rows(_TIER, [pre_allocation_id])
    if not found:
        return DomainError(
            "pre_allocation_unknown",
            bilingual(
                "没有这笔预拨资金，或不在您的机构范围内", "no such pre-allocation in your scope"
            ),
        )
    answered = _answered(pre_allocation_id)
    if answered is not None:
        return answered
    if receipts.entered_by(pre_allocation_id=pre_allocation_id) == actor:
        return _own_work()
    ((code, tier),) = found
    paid = paid_tiers().get(code)
    if paid is not None and tier not in paid:
        zh, _, en = tier_not_paid(tier, paid).partition(" / ")
        return DomainError(
            "tier_not_paid",
            bilingual(f"{zh}；不能入账，请退回", f"{en}; refuse it: it cannot be booked"),
        )
    return _too_much(pre_allocation_id)


def _too_much(pre_allocation_id: int) -> DomainError | None:
    """That it takes back more than a fund that holds has, as far as that fund is in sight."""
    book = terms_in_force()
    rows = bulk.rows(_CHECKED, [[pre_allocation_id]])
    if not rows or rows[0][2] not in holding_schemes(book):
        return None
    key, fen = _funds(rows, book)[pre_allocation_id], rows[0][6]
    fund = _fund_now(key)
    if fund is None or fen >= -fund.available_fen:
        return None
    return InsufficientFunds(
        asked_fen=-fen, available_fen=fund.available_fen, source_id=pre_allocation_id
    )


def _fund_now(key: FundKey) -> Fund | None:
    """The fund as it is; None if there is none yet, or none in sight."""
    same = Fund.objects.filter(
        institution_id=key.institution_id,
        scheme_id=key.scheme_id,
        tier=key.tier,
        purpose=key.purpose,
    )
    return same.select_related("institution", "scheme").first()


def _answered(pre_allocation_id: int) -> DomainError | None:
    """That it was booked or refused, by whom and when."""
    receipt = Receipt.objects.filter(pre_allocation_id=pre_allocation_id).first()
    refusal = ReceiptRefusal.objects.filter(pre_allocation_id=pre_allocation_id).first()
    one = receipt or refusal
    if one is None:
        return None
    assert one.checked_at is not None, "whoever answers does so at some time"
    day = localtime(one.checked_at).date()
    zh, en = ("已入账", "booked") if receipt else ("已退回", "refused")
    return DomainError(
        "pre_allocation_answered",
        bilingual(
            f"{zh}（{one.checked_by}，{day}），不再变动",
            f"{en} already by {one.checked_by} on {day}, and stays so",
        ),
    )


def _own_work() -> DomainError:
    return DomainError(
        "own_work",
        bilingual("本人登记的须由另一人复核", "what you entered another must check or refuse"),
    )


@transaction.atomic
def refuse_pre_allocation(*, pre_allocation_id: int, why: str, actor: str, at: datetime) -> None:
    """Let a second person refuse one, saying why: it is never booked.

    Evidence stays as it was told, so what is right is entered anew under a number of its own. Raises
    DomainError `pre_allocation_answered`, `own_work`, `reason_missing`.
    """
    reason = reasons.required(why)
    bulk.rows("SELECT pg_advisory_xact_lock(%s)", [RECEIPT_LOCK])
    answered = _answered(pre_allocation_id)
    if answered is not None:
        raise answered
    institution_id, made_by, made_at = receipts.entered(pre_allocation_id=pre_allocation_id)
    if made_by == actor:
        raise _own_work()
    ReceiptRefusal.objects.create(
        institution_id=institution_id,
        pre_allocation_id=pre_allocation_id,
        why=reason,
        made_by=made_by,
        made_at=made_at or at,
        checked_by=actor,
        checked_at=at,
    )


def lines_if_booked(
    *, pre_allocation_id: int
) -> tuple[Fund | None, list[tuple[Event, entries.Lines]]]:
    """What the ledger will say once it is booked, for whoever is to check it; nothing is locked.

    With the fund as it is now: None if it is opened by this, or is an institution's above.
    """
    rows = bulk.rows(_CHECKED, [[pre_allocation_id]])
    ((_, _, _, _, _, _, fen, _),) = rows
    key = _funds(rows, terms_in_force())[pre_allocation_id]
    known = _fund_now(key)
    available = known.available_fen if known is not None else 0
    owed = -known.bank_advance_fen if known is not None else 0
    received = entries.pre_allocation(fen, available_fen=available)
    available += entries.net(received, "special_account")
    owed -= entries.net(received, "bank_advance")
    repaid = entries.advance_repaid(owed_fen=owed, available_fen=available)
    found = ((Event.PRE_ALLOCATION, received), (Event.ADVANCE_REPAID, repaid))
    return known, [(event, lines) for event, lines in found if lines]
