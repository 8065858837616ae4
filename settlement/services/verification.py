"""Working everything out again from the evidence and comparing it with what was posted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import polars as pl
from django.db import transaction

from config.kernel.services import bulk
from loans.selectors import facts
from settlement.engine import assess
from settlement.models import (
    Assessment,
    BlockedSubsidy,
    EnterprisePosting,
    LedgerEntry,
    SchemeVersion,
)
from settlement.selectors import enrolments, guarantee_postings, stops
from settlement.selectors.deductions import MONEY
from settlement.services import blocked, groups, taken_over
from settlement.services.assessments import ENGINE_VERSION, assess_facts
from settlement.services.deductions import terms_key
from settlement.services.guarantee_verification import verify_guarantees
from settlement.services.ledger_verification import verify_ledger
from settlement.services.payout_verification import verify_attempts
from settlement.services.payouts import verify_payouts
from settlement.services.record_verification import verify_records
from settlement.services.schemes import Book, terms_in_force
from settlement.services.settlement_verification import verify_settlements
from settlement.services.targets import differences, gather, grouped, targets

# What must hold of posted rows whatever the facts are: (what is wrong, query giving the places).
_POSTED_RULES = (
    (
        "差额序号不连续 / sequence numbers with gaps",
        "SELECT collection_id || '/' || scheme_id FROM settlement_deduction "
        "GROUP BY collection_id, scheme_id HAVING max(sequence) <> count(*) - 1",
    ),
    (
        "抵减没有对应的收息记录 / deduction without its collection",
        "SELECT d.id::text FROM settlement_deduction d WHERE NOT EXISTS ("
        "SELECT 1 FROM loans_interestcollection c WHERE c.id = d.collection_id "
        "AND c.note_id = d.note_id AND c.collected_on = d.collected_on)",
    ),
    (
        "抵减的机构与借据不符 / deduction in another institution than its note",
        "SELECT d.id::text FROM settlement_deduction d JOIN loans_note n ON n.id = d.note_id "
        "WHERE d.institution_id <> n.institution_id",
    ),
    (
        "抵减的政策、版本或任务不存在 / deduction of an unknown scheme, version or run",
        "SELECT d.id::text FROM settlement_deduction d WHERE NOT EXISTS ("
        "SELECT 1 FROM settlement_schemeversion v JOIN kernel_run r ON r.id = d.run_id "
        "WHERE v.id = d.version_id AND v.scheme_id = d.scheme_id)",
    ),
    (
        "各月贴息汇总与明细不符 / a month's sums differ from its deductions",
        "SELECT x.institution_id || '/' || x.scheme_id || ' ' || to_char(x.month, 'YYYY-MM') FROM ("
        "SELECT institution_id, scheme_id, month, central_fen, provincial_fen, municipal_fen "
        "FROM settlement_monthlysubsidy UNION ALL "
        "SELECT institution_id, scheme_id, date_trunc('month', collected_on)::date, -central_fen, "
        "-provincial_fen, -municipal_fen FROM settlement_deduction) x "
        "GROUP BY x.institution_id, x.scheme_id, x.month "
        "HAVING sum(x.central_fen) <> 0 OR sum(x.provincial_fen) <> 0 OR sum(x.municipal_fen) <> 0",
    ),
    (
        "同一流水号重复收息 / one reference collected twice",
        "SELECT origin_id || '/' || reference FROM loans_interestcollection "
        "WHERE interest_paid_fen IS NOT NULL GROUP BY origin_id, reference HAVING count(*) > 1",
    ),
)


@dataclass
class Verified:
    """What was looked at, what does not agree, what only waits for a run, and what findings block."""

    labels: int = 0
    collections: int = 0
    rows: int = 0
    entries: int = 0
    waiting: int = 0
    blocked: int = 0
    waiting_guarantees: int = 0
    waiting_openings: int = 0
    problems: list[str] = field(default_factory=list)


def verify(*, progress: Callable[[int, int], None] | None = None) -> Verified:
    """Recompute judgements, deductions and the ledger; every disagreement is a line of `problems`.

    Enterprises that were told something since their last run are counted as waiting, not compared.
    """
    found = Verified()
    book = terms_in_force()
    _verify_scheme_texts(found)
    _verify_enrolments(found, book)
    for wrong, query in _POSTED_RULES:
        found.problems += [f"{wrong}: {place}" for (place,) in bulk.rows(query)]
    found.problems += [*verify_ledger(), *verify_settlements(), *verify_guarantees()]
    found.problems += [*verify_payouts(), *verify_attempts(), *verify_records()]
    found.waiting_openings = len(taken_over.changes())
    found.waiting_guarantees = len(guarantee_postings.due(through=None))
    found.entries = LedgerEntry.objects.count()
    versions = facts.enterprise_versions()
    notes = dict(versions.select("enterprise_id", "notes").iter_rows())
    chunks = list(groups.chunks(notes=notes, book=book))
    for done, chunk in enumerate(chunks, start=1):
        while not _verify_chunk(found, chunk, book):
            pass
        if progress is not None:
            progress(done, len(chunks))
    return found


def _verify_scheme_texts(found: Verified) -> None:
    for version in SchemeVersion.objects.select_related("scheme").order_by("pk"):
        if hashlib.sha256(version.text.encode()).hexdigest() != version.sha256:
            found.problems.append(
                f"政策文本与摘要不符 / scheme text differs from its digest: "
                f"{version.scheme.code} v{version.version}"
            )


@transaction.atomic
def _verify_enrolments(found: Verified, book: Book) -> None:
    last = Assessment.objects.order_by("-pk").first()
    state = (facts.facts_position(), book.key, ENGINE_VERSION)
    if last is None or (last.facts_position, last.terms_key, last.engine) != state:
        return
    judged = assess(terms=book.terms, facts=assess_facts()).with_columns(
        pl.col("scheme_code")
        .replace_strict(book.version_ids, return_dtype=pl.Int64)
        .alias("version_id")
    )
    fresh = enrolments.comparable(judged)
    stored = enrolments.stored()
    found.labels = fresh.height
    for missing, kept in ((fresh, stored), (stored, fresh)):
        wrong = missing.join(kept, on=fresh.columns, how="anti", nulls_equal=True)
        found.problems += [
            f"资格认定与重算不符 / judgement differs: note {row['note_id']} {row['scheme_code']} "
            f"{'重算 recomputed' if missing is fresh else '已存 stored'} "
            f"{row['status']} {row['reasons']} {row['eligible_fen']}"
            for row in wrong.sort("note_id", "scheme_code").iter_rows(named=True)
        ]


@transaction.atomic
def _verify_chunk(found: Verified, enterprise_ids: list[int], book: Book) -> bool:
    """Compare what is posted; nothing is said, and False returned, if a finding was decided meanwhile."""
    blocked_anew = set(stops.changed_since())
    postings = {
        posting.enterprise_id: posting
        for posting in EnterprisePosting.objects.filter(enterprise_id__in=enterprise_ids)
        .select_related("enterprise")
        .order_by("pk")
    }
    key = terms_key(book)
    evidence = gather(enterprise_ids=enterprise_ids)
    current = _of_current_groups(
        {
            enterprise: posting.through
            for enterprise, posting in postings.items()
            if posting.facts_version == posting.enterprise.facts_version
            and posting.terms_key == key
            and enterprise not in blocked_anew
        },
        grouped(evidence=evidence, book=book),
    )
    result = targets(book=book, evidence=evidence, through=current)
    wrong = differences(rows=result.rows, evidence=evidence, book=book, through=None).join(
        evidence.scopes, on="note_id"
    )
    through = pl.DataFrame(
        {"enterprise_id": list(current), "through": list(current.values())},
        schema={"enterprise_id": pl.Int64, "through": pl.Date},
    )
    wrong = wrong.join(through, on="enterprise_id").filter(
        (pl.col("sequence") > 0) | (pl.col("collected_on") <= pl.col("through"))
    )
    unposted = blocked.blocked_rows(wrong, evidence=evidence)
    if not blocked_anew.symmetric_difference(stops.changed_since()).isdisjoint(enterprise_ids):
        return False
    wrong = wrong.join(unposted, on=["collection_id", "scheme_id"], how="anti")
    found.blocked += unposted.height
    found.problems += _verify_blocked(unposted, list(current))
    found.collections += evidence.facts.collections.height
    found.rows += result.rows.height
    found.waiting += len(enterprise_ids) - len(current)
    names = {scheme_id: code for code, scheme_id in book.scheme_ids.items()}
    found.problems += [
        _disagreement(row, names.get(row["scheme_id"], f"scheme {row['scheme_id']}"))
        for row in wrong.sort("collection_id", "scheme_id").iter_rows(named=True)
    ]
    return True


def _verify_blocked(unposted: pl.DataFrame, enterprise_ids: list[int]) -> list[str]:
    """Where what is on record as blocked is not what is left unposted."""
    fresh = blocked.sums(unposted).select(*blocked.KEY, "collections", *MONEY)
    kept = BlockedSubsidy.objects.filter(enterprise_id__in=enterprise_ids, collections__gt=0)
    stored = pl.DataFrame(list(kept.values_list(*fresh.columns)), schema=fresh.schema, orient="row")
    differing = pl.concat([fresh, stored]).filter(pl.struct(pl.all()).is_unique())
    return [
        f"暂停的贴息与重算不符 / what is on record as blocked differs: note {note} scheme {scheme}"
        for note, scheme in differing.select(blocked.KEY).unique().sort(blocked.KEY).iter_rows()
    ]


def _of_current_groups(current: dict[int, date], of_note: pl.DataFrame) -> dict[int, date]:
    """Without those who wait for a run because something was told of another in their group."""
    waiting = of_note.filter(~pl.col("enterprise_id").is_in(list(current)))
    affected = set(of_note.join(waiting, on="group", how="semi")["enterprise_id"].to_list())
    return {enterprise: day for enterprise, day in current.items() if enterprise not in affected}


def _disagreement(row: dict[str, int], scheme: str) -> str:
    ((institution, note, reference),) = bulk.rows(
        "SELECT i.code, n.note_number, c.reference FROM loans_interestcollection c "
        "JOIN loans_note n ON n.id = c.note_id JOIN kernel_institution i ON i.id = n.origin_id "
        "WHERE c.id = %s",
        [row["collection_id"]],
    ) or [("?", "?", str(row["collection_id"]))]
    tiers = "/".join(str(row[f"{tier}_fen"]) for tier in ("central", "provincial", "municipal"))
    return (
        f"贴息与重算不符 / deduction differs: {scheme} {institution} {note} {reference}: "
        f"应补记 target − posted 中央/省/市 {tiers} 分 fen"
    )
