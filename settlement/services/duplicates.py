"""The duplicate check: find every match of P1–P12 and keep the findings equal to them.

Looking twice finds the same; a matter keeps its finding, and what people said of it, for as long as
its facts stay. Findings whose facts are gone are marked so, never removed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl
from django.db import transaction

from config.kernel.services.bulk import rows
from loans.selectors import facts
from settlement.engine import (
    duplicate_days,
    duplicate_money,
    duplicate_rules,
    duplicates,
    exchange,
    near,
)
from settlement.engine import links as engine_links
from settlement.engine.duplicate_facts import Known
from settlement.engine.duplicates import Claim, Match, Paid
from settlement.models import DuplicateCheck
from settlement.selectors import duplicate_links as links
from settlement.selectors import duplicates as selectors
from settlement.selectors.exchange import received_conflicts
from settlement.services.exchange import current_key, is_set, refresh_entries
from settlement.services.finding_records import Checked, Found, Side, concerned, record
from settlement.services.schemes import terms_in_force

CHECKING_LOCK = 0x6475
RULES_VERSION = 2  # raise it when the same facts and terms give other findings
PATIENCE = "20min"
MANY = 10_000  # enterprises changed, above which everybody is looked at
Rule = Callable[[Known], Iterable[Match]]
RULES: tuple[Rule, ...] = (
    duplicate_rules.repeated_periods,
    duplicate_rules.same_numbers,
    duplicate_rules.same_enterprises,
    duplicate_rules.shared_projects,
    duplicate_rules.shared_invoices,
    duplicate_money.above_interest,
    duplicate_days.stopped_days,
    duplicate_days.lost_titles,
    duplicate_money.refinanced,
    duplicate_money.split,
    duplicate_money.above_caps,
    duplicate_money.from_outside,
    duplicate_money.untouched,
    exchange.conflicts,
)
_NOTE_FACTS = (
    "institution_code", "note_number", "contract_number", "uscc", "project_code", "loan_type",
    "drawn_on", "principal_fen", "equipment_fen",
)  # fmt: skip


def known(*, as_of: date, enterprise_ids: Sequence[int] | None = None) -> Known:
    """Read everything the rules are about; of these enterprises, or of everybody."""
    exchanged = _exchanged(enterprise_ids)  # first: it needs memory of its own
    own: dict[str, Any] = {"enterprise_ids": enterprise_ids}
    return Known(
        terms=terms_in_force().terms,
        notes=selectors.notes(**own),
        enrolments=selectors.enrolments(**own),
        names=selectors.names(**own),
        invoices=selectors.invoices(**own),
        repayments=facts.repayments(**own),
        stops=facts.stops(**own),
        titles=facts.titles(),
        industries=selectors.industries_of_titled(**own),
        external=selectors.external(**own),
        opening=facts.opening(**own),
        paid=selectors.paid_by_year(**own),
        interest=selectors.interest_by_year(**own),
        products=selectors.stopped_products(**own),
        guaranteed=selectors.guaranteed(**own),
        overlapping=tuple(selectors.notes_with_overlapping_periods(**own)),
        untouched=selectors.untouched_receipts(as_of=as_of, days=duplicate_money.UNTOUCHED_DAYS),
        exchanged=exchanged,
    )


def _exchanged(enterprise_ids: Sequence[int] | None) -> pl.DataFrame:
    """What other banks of the circle tell of our notes as they are now; nothing without a circle."""
    if not is_set() or enterprise_ids == []:
        return pl.DataFrame(schema=exchange.CONFLICTS)
    refresh_entries(enterprise_ids=enterprise_ids)
    return received_conflicts(key_id=current_key().id)


@transaction.atomic
def check_duplicates(*, at: datetime) -> Checked:
    """Bring the findings in line with all facts; checks go one after the other."""
    _wait_for_others()
    links.take_due()
    return _check(enterprise_ids=None, key=rules_key(), at=at)


@transaction.atomic
def check_exact(*, at: datetime) -> Checked:
    """Look for exact matches alone, in a fraction of the time; proposals stay as they are.

    What changed since the last whole check stays due.
    """
    _wait_for_others()
    found = _matches(known(as_of=at.date()), RULES)
    return record(found=found, of=concerned(enterprise_ids=None, proposals=False), at=at)


@transaction.atomic
def check_changed(*, at: datetime, patience: str = "") -> Checked | None:
    """The same, looking only at what changed since the last check and at whom it is linked to.

    At everybody where the terms, the rules or a link may be others than then, or very much changed.
    None if another check is under way, unless there is `patience` for it: what changed stays due.
    """
    if patience:
        _wait_for_others(patience)
    else:
        ((is_free,),) = rows("SELECT pg_try_advisory_xact_lock(%s)", [CHECKING_LOCK])
        if not is_free:
            return None
    due = set(links.take_due())
    last, key = DuplicateCheck.objects.order_by("-pk").first(), rules_key()
    if None in due or len(due) > MANY or last is None or last.rules_key != key:
        return _check(enterprise_ids=None, key=key, at=at)
    changed = [enterprise for enterprise in due if enterprise is not None]
    return _check(enterprise_ids=_linked(changed), key=key, at=at)


def _wait_for_others(patience: str = PATIENCE) -> None:
    """Checks go one after the other, for longer than a row is waited for."""
    rows("SELECT set_config('lock_timeout', %s, true)", [patience])
    rows("SELECT pg_advisory_xact_lock(%s)", [CHECKING_LOCK])
    rows(
        "SELECT set_config('lock_timeout', reset_val, true) FROM pg_settings WHERE name = 'lock_timeout'"
    )


def _linked(enterprise_ids: Sequence[int]) -> list[int]:
    """These enterprises and whomever the rules may compare them with."""
    if not enterprise_ids:
        return []
    shared = engine_links.keys(
        names=selectors.names(),
        codes=links.codes(),
        projects=links.projects(),
        invoices=links.invoices(),
    )
    return engine_links.closure(links=shared, enterprise_ids=enterprise_ids)


def _alike(enterprise_ids: Sequence[int]) -> list[int]:
    """Whom near matches may compare these enterprises with; of two alone, so nobody further."""
    if not enterprise_ids:
        return []
    named = near.possibly_alike(selectors.names(), enterprise_ids)
    bought = links.with_invoices_like(enterprise_ids=enterprise_ids)
    some = {"enterprise_ids": sorted({*enterprise_ids, *named, *bought})}
    keys = near.link_keys(
        selectors.notes(**some), selectors.names(**some), selectors.invoices(**some)
    )
    return engine_links.neighbours(links=keys, enterprise_ids=enterprise_ids)


def _matches(
    book: Known, rules: Iterable[Rule], enterprise_ids: Sequence[int] | None = None
) -> list[Found]:
    """What the rules find of these enterprises (None: of everybody) and of no note, with its money.

    Of those around them not everything may be known here.
    """
    found = (match for rule in rules for match in rule(book))
    if enterprise_ids is None:
        return list(_priced(book, list(found)))
    own = frozenset(enterprise_ids)
    return list(_priced(book, [match for match in found if _is_of(book, match, own)]))


def _is_of(book: Known, match: Match, enterprise_ids: frozenset[int]) -> bool:
    borrowers = {book.note(note)["enterprise_id"] for note in match.notes}
    return not borrowers or not borrowers.isdisjoint(enterprise_ids)


def _check(*, enterprise_ids: Sequence[int] | None, key: str, at: datetime) -> Checked:
    around = None if enterprise_ids is None else [*enterprise_ids, *_alike(enterprise_ids)]
    book = known(as_of=at.date(), enterprise_ids=around)
    found = _matches(book, (*RULES, near.proposals), enterprise_ids)
    done = record(found=found, of=concerned(enterprise_ids=enterprise_ids), at=at)
    if enterprise_ids != [] or done.changes:
        DuplicateCheck.objects.create(
            at=at,
            rules_key=key,
            enterprises=None if enterprise_ids is None else len(enterprise_ids),
            opened=done.opened,
            changed=done.changed,
            reopened=done.reopened,
            gone=done.gone,
        )
    return done


def rules_key() -> str:
    """What a check depends on besides the facts: while it stands, unchanged facts give unchanged findings."""
    circle = current_key().id if is_set() else ""
    return f"{RULES_VERSION}:{terms_in_force().key}:{circle}"


def _priced(book: Known, matches: Sequence[Match]) -> Iterator[Found]:
    """The matches with the money at stake and their sides, each matter once."""
    paid: dict[int, list[Paid]] = defaultdict(list)
    wanted = sorted({note for match in matches for note in match.notes})
    for row in selectors.paid_rows(note_ids=wanted).iter_rows():
        paid[row[0]].append(Paid._make((*row[:6], row[6:])))
    seen: set[str] = set()
    for match in matches:
        claims = duplicates.folded(match.costs(paid))
        if match.identity in seen or (match.needs_money and not claims):
            continue
        seen.add(match.identity)
        sides = [_side(book, match, note, claims) for note in match.notes]
        sides += [_outside(book, match, record) for record in match.outside]
        stable = [match.severity, match.article, match.evidence, [side.facts for side in sides]]
        yield Found(match, claims, sides, duplicates.digest(stable))


def _side(book: Known, match: Match, note_id: int, claims: Sequence[Claim]) -> Side:
    row = book.note(note_id)
    said = {name: row[name] for name in _NOTE_FACTS} | {"drawn_on": str(row["drawn_on"])}
    said |= {"schemes": book.schemes_of(note_id), "yields": note_id in match.yields}
    said |= match.said.get(note_id, {})
    if match.rule == "P5":
        listed = (
            book.invoices.filter(note_id=note_id)
            .drop("note_id")
            .sort("invoice_number", "serial_number")
        )
        said["invoices"] = [one | {"issued_on": str(one["issued_on"])} for one in listed.to_dicts()]
    if match.rule == "P3":
        said["names"] = sorted(
            book.names.filter(enterprise_id=row["enterprise_id"])["name"].to_list()
        )
    return Side(
        institution_id=row["institution_id"],
        note_id=note_id,
        enterprise_id=row["enterprise_id"],
        facts=said,
        claims=[claim for claim in claims if claim.note_id == note_id],
    )


def _outside(book: Known, match: Match, record: Mapping[str, Any]) -> Side:
    row = book.note(match.yields[0])
    return Side(row["institution_id"], None, row["enterprise_id"], dict(record), [])
