"""Posting guarantee-fee subsidies into funds of their own (D17, ST-17 … ST-24).

The judgement of every guarantee is the target; target − posted is posted as one numbered difference
per guarantee and scheme, in the month its fee is collected (ST-21). One run at a time posts, so that
repeating, interrupting or doubling it is harmless.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from django.db import transaction

from config.kernel.models import SCOPE_ALL
from config.kernel.services import bulk
from settlement.engine import entries
from settlement.engine.lapse import Standing
from settlement.engine.terms import Terms
from settlement.models import Clawback, Event, GuaranteePosting, Purpose
from settlement.selectors import guarantee_postings
from settlement.selectors.guarantee_postings import Due
from settlement.selectors.institutions import fund_institutions
from settlement.selectors.lapses import Key, standing
from settlement.services import funds, lapses, told
from settlement.services.funds import FundKey, Held, Posting
from settlement.services.lapses import Lapse
from settlement.services.schemes import Book, terms_in_force

LOCK = 0x67756172616E74  # one posting of guarantee-fee subsidies at a time
WHY = "担保费补贴重算 / guarantee-fee subsidy recomputed (D17, D20)"


@dataclass(frozen=True)
class PostedGuarantees:
    """How many originals and differences were posted, what they add up to, and how many wait for money.

    `unseen`: how many were left because nobody had looked at them.
    """

    originals: int
    differences: int
    amount_fen: int
    held: int
    unseen: int = 0


NO_FEES = PostedGuarantees(originals=0, differences=0, amount_fen=0, held=0)


class _Act(NamedTuple):
    actor: str
    at: datetime


@transaction.atomic
def post_guarantee_subsidies(
    *,
    actor: str,
    at: datetime,
    through: date | None = None,
    scheme: str | None = None,
    scope: tuple[int, int] = SCOPE_ALL,
    seen: Collection[tuple[int | str, ...]] | None = None,
) -> PostedGuarantees:
    """Bring what is posted of every guarantee's fee subsidy to what is judged now.

    Originals of guarantees that start up to `through` (None: all); `scheme` and `scope` choose what is
    posted, `seen` the postings that people looked at (`Due.row`; None: all). Where a scheme holds instead
    of advancing (D19), what its fund does not suffice for waits.
    """
    bulk.rows("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    book = terms_in_force()
    found = due_fees(through=through, scheme=scheme, scope=scope)
    due = [one for one in found if seen is None or one.row in seen]
    keys = fund_keys(due, book)
    fund_ids = funds.open_funds(keys=keys.values())
    held = funds.lock(fund_ids=list(fund_ids.values())) if fund_ids else {}
    claims = standing(note_ids=list({one.note_id for one in due})) if due else {}
    posted = waiting = originals = 0
    done: Counter[tuple[int, int]] = Counter()
    for one in sorted(due, key=_place):
        fund = held[fund_ids[keys[one]]]
        if _must_wait(one, fund.available_fen, book):
            waiting += 1
            continue
        numbered = one.guarantee_id, one.scheme_id
        sequence = one.posted + done[numbered]
        _post(one, sequence=sequence, fund=fund, claims=claims, act=_Act(actor, at))
        posted += one.change_fen
        done[numbered] += 1
        originals += sequence == 0
    differences = done.total() - originals
    return PostedGuarantees(originals, differences, posted, waiting, len(found) - len(due))


def _place(one: Due) -> tuple[bool, date, int]:
    """What is taken back comes first, then guarantees in the order in which they start."""
    return one.change_fen > 0, one.starts_on, one.guarantee_id


def waiting_fees(fees: Mapping[Due, FundKey], book: Book) -> frozenset[Due]:
    """Of these, those that a posting now would leave waiting for their fund's money (D19).

    The money there is goes to them in the order in which they are posted. Nothing is locked.
    """
    known = funds.as_they_are(keys=fees.values())
    left = {key: fund.available_fen for key, fund in known.items()}
    waiting = set()
    for one in sorted(fees, key=_place):
        if _must_wait(one, left[fees[one]], book):
            waiting.add(one)
        else:
            left[fees[one]] -= max(0, min(one.change_fen, left[fees[one]]))
    return frozenset(waiting)


def _terms(book: Book) -> dict[str, Terms]:
    return {terms.code: terms for terms in book.terms}


def due_fees(
    *, through: date | None, scheme: str | None = None, scope: tuple[int, int] = SCOPE_ALL
) -> list[Due]:
    """What is to be posted of fees, of one scheme, of notes of some institutions."""
    return [
        one
        for one in guarantee_postings.due(through=through)
        if scheme in (None, one.scheme_code) and scope[0] <= one.institution_id <= scope[1]
    ]


def fund_keys(due: Sequence[Due], book: Book) -> dict[Due, FundKey]:
    """Whose fund pays: at the scheme's fund level, of the highest tier the scheme has."""
    terms = _terms(book)
    levels = {terms[code].fund_level for code in {one.scheme_code for one in due}}
    places = {level: fund_institutions(level=level) for level in sorted(levels)}
    return {
        one: FundKey(
            places[terms[one.scheme_code].fund_level][one.institution_id],
            one.scheme_id,
            terms[one.scheme_code].tiers[0],
            Purpose.GUARANTEE_FEE.value,
        )
        for one in due
    }


def _must_wait(one: Due, available_fen: int, book: Book) -> bool:
    holds = _terms(book)[one.scheme_code].shortfall == "hold"
    return holds and one.change_fen > available_fen


def _post(one: Due, *, sequence: int, fund: Held, claims: dict[Key, Standing], act: _Act) -> None:
    """One posting with its entry; what is taken back and not claimed already, the enterprise owes."""
    row = GuaranteePosting.objects.create(
        institution_id=one.institution_id,
        note_id=one.note_id,
        guarantee_id=one.guarantee_id,
        scheme_id=one.scheme_id,
        fund_id=fund.id,
        sequence=sequence,
        amount_fen=one.change_fen,
        month=one.starts_on.replace(day=1),
        posted_on=act.at.date(),
        actor=act.actor,
    )
    source = f"担保费 guarantee fee {one.guarantee_number} #{sequence}"
    event = Event.DEDUCTION if one.change_fen > 0 else Event.NEGATIVE_DIFFERENCE
    lines = (
        entries.deduction(one.change_fen, offset_fen=0, available_fen=fund.available_fen)
        if one.change_fen > 0
        else entries.negative_difference(-one.change_fen)
    )
    funds.post(
        fund=fund,
        posting=Posting(event, act.at.date(), source, row.pk, act.actor),
        lines=lines,
        year=fund.open_year(one.starts_on.year),
        month=row.month,
    )
    owed = max(-one.change_fen, 0) - _lapse(one, row=row, fund=fund, claims=claims, act=act)
    if owed:
        _owe(one, row=row, owed_fen=owed, act=act)


def _lapse(
    one: Due, *, row: GuaranteePosting, fund: Held, claims: dict[Key, Standing], act: _Act
) -> int:
    """Let people's claims on the fee lapse as far as this takes it back; how much did, in fen."""
    key = one.note_id, fund.id, one.starts_on.year
    if key not in claims:
        return 0
    lapsed = claims[key].lapsing(one.change_fen)
    claims[key] = claims[key].after(one.change_fen)
    lapse = Lapse(one.institution_id, one.note_id, one.starts_on.year, row.pk)
    lapses.book(lapse=lapse, lapsed=lapsed, fund=fund, on=act.at.date(), actor=act.actor)
    return lapsed.amount_fen


def _owe(one: Due, *, row: GuaranteePosting, owed_fen: int, act: _Act) -> None:
    opened = Clawback.objects.create(
        institution_id=one.institution_id,
        note_id=one.note_id,
        enterprise_id=one.enterprise_id,
        fund_id=row.fund_id,
        origin=Clawback.Origin.DIFFERENCE,
        origin_id=row.pk,
        year=one.starts_on.year,
        amount_fen=owed_fen,
        is_offset=False,
        state=Clawback.State.DECIDED,
        why=WHY,
        made_by=act.actor,
        made_at=act.at,
    )
    told.clawbacks_opened(opened=[opened], at=act.at)
