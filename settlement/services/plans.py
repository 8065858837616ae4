"""Plans of an interest day: made from collections not paid yet, checked by another, reserved (MF-23).

A plan is a forecast: one run over all facts in which planned collections count as paid in full on
their day. What is posted later is the target of the result, whatever the plan said (D20).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import polars as pl
from django.db import transaction

from config.kernel.models import SCOPE_ALL
from config.kernel.services import bulk
from loans.services import locks
from loans.values.errors import DomainError, bilingual
from settlement.engine import TIERS
from settlement.models import Plan, PlanException, PlannedDeduction
from settlement.selectors import papers, plans
from settlement.selectors.institutions import fund_institutions
from settlement.selectors.reservations import live
from settlement.selectors.stops import of_plan, stops
from settlement.services import ended_plans, funds, groups, planned_money, reservations
from settlement.services.assessments import assess_notes
from settlement.services.funds import FundKey
from settlement.services.schemes import Book, terms_in_force
from settlement.services.targets import gather, targets

PLANNING_LOCK = 0x706C616E  # one maker of plans at a time
BATCH = 5_000
NAMED_MAX = 5
MONEY = [f"{tier}_fen" for tier in TIERS]
DAY = ["root_id", "collected_on"]
PLANNED = ["collection_id", "scheme_code"]


@transaction.atomic
def make_plans(
    *,
    through: date,
    actor: str,
    at: datetime,
    scope: tuple[int, int] = SCOPE_ALL,
    send: bool = True,
) -> list[int]:
    """Draft a plan per bank and interest day up to `through`; the numbers of those made.

    What another plan holds already is left to it, so that planning twice makes nothing new; nor are
    exceptions alone, once told, a plan again: neither after theirs is closed nor after it was dropped.
    `scope`: notes of these institutions only. `send`: to be checked at once, as commands have it;
    otherwise its maker looks at it first and sends it (`send_plan`).
    """
    bulk.rows("SELECT pg_advisory_xact_lock(%s)", [PLANNING_LOCK])
    assess_notes(at=at, only_if_stale=True)
    book = terms_in_force()
    asked = plans.open_collections(through=through)
    wanted = _wanted(asked, book=book, through=through)
    inside = asked.filter(pl.col("institution_id").is_between(*scope))
    new = wanted.join(plans.covered(), on=["collection_id", "scheme_code"], how="anti")
    blocked = _blocked(new, asked=asked, book=book)
    payable = new.filter(pl.col("total") > 0).join(blocked, on=PLANNED, how="anti")
    due = _in_order(payable.join(inside, on="collection_id"), book)
    odd = _exceptions(inside, wanted, blocked)
    _open_funds(due)
    untold = odd.filter(pl.col("dropped").is_null())
    days = pl.concat([frame.select(DAY) for frame in (due, untold)]).unique().sort(DAY)
    made = [_store(root, day, due, odd, actor=actor, at=at) for root, day in days.iter_rows()]
    if send:
        Plan.objects.filter(pk__in=made).update(sent_by=actor, sent_at=at)
    return made


def _wanted(asked: pl.DataFrame, *, book: Book, through: date) -> pl.DataFrame:
    """What each planned collection would earn: collection_id, scheme_code, tiers, total."""
    counts = dict(asked.group_by("enterprise_id").len().iter_rows())
    found = [
        _of_group(ids, asked, book=book, through=through)
        for ids in groups.chunks(notes=counts, book=book)
    ]
    empty = pl.DataFrame(
        schema={
            "collection_id": pl.Int64,
            "scheme_code": pl.String,
            **dict.fromkeys(MONEY, pl.Int64),
        }
    )
    return pl.concat([empty, *found]).with_columns(total=pl.sum_horizontal(MONEY))


def _of_group(
    enterprise_ids: list[int], asked: pl.DataFrame, *, book: Book, through: date
) -> pl.DataFrame:
    evidence = gather(enterprise_ids=enterprise_ids)
    known = evidence.facts.collections
    mine = asked.filter(pl.col("enterprise_id").is_in(enterprise_ids))
    paid = mine.with_columns(
        interest_paid_fen=(pl.col("interest_due_fen") - pl.col("before_fen")).clip(lower_bound=0)
    )
    assumed = pl.concat([known, paid.select(known.columns)])
    facts = replace(evidence.facts, collections=assumed)
    rows = targets(book=book, evidence=replace(evidence, facts=facts), through=through).rows
    return rows.join(mine, on="collection_id", how="semi").select(
        "collection_id", "scheme_code", *(pl.col(name).cast(pl.Int64) for name in MONEY)
    )


def _in_order(due: pl.DataFrame, book: Book) -> pl.DataFrame:
    """With scheme, fund institution and place in the order of service (D9)."""
    schemes = pl.DataFrame(
        [(terms.code, book.scheme_ids[terms.code], terms.priority) for terms in book.terms],
        schema={"scheme_code": pl.String, "scheme_id": pl.Int64, "priority": pl.Int64},
        orient="row",
    )
    places = pl.DataFrame(
        [
            (terms.code, place, fund)
            for terms in book.terms
            for place, fund in fund_institutions(level=terms.fund_level).items()
        ],
        schema={
            "scheme_code": pl.String,
            "institution_id": pl.Int64,
            "fund_institution_id": pl.Int64,
        },
        orient="row",
    )
    return (
        due.join(schemes, on="scheme_code")
        .join(places, on=["scheme_code", "institution_id"])
        .sort(
            "collected_on",
            "institution_code",
            "note_number",
            "period_start",
            "reference",
            "priority",
        )
        .with_columns(place=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(DAY))
    )


def _blocked(new: pl.DataFrame, *, asked: pl.DataFrame, book: Book) -> pl.DataFrame:
    """Of what would be planned, what a finding blocks (F5): collection_id, scheme_code, detail."""
    codes = {scheme_id: code for code, scheme_id in book.scheme_ids.items()}
    stopped = stops(note_ids=asked["note_id"].unique().to_list()).select(
        "note_id",
        scheme_code=pl.col("scheme_id").replace_strict(codes, default="", return_dtype=pl.String),
        finding=pl.format("#{} {}", "finding_id", "rule"),
    )
    return (
        new.filter(pl.col("total") > 0)
        .join(asked.select("collection_id", "note_id"), on="collection_id")
        .join(stopped, on=["note_id", "scheme_code"])
        .group_by(PLANNED)
        .agg(detail=pl.col("finding").sort().str.join(";"))
    )


def _exceptions(asked: pl.DataFrame, wanted: pl.DataFrame, blocked: pl.DataFrame) -> pl.DataFrame:
    """Planned collections without a deduction under a label, or collected in part; those not told yet.

    What only dropped plans told is told again beside new deductions: `dropped`, null if never told.
    """
    reason = PlanException.Reason
    judged = asked.join(
        plans.judgements(note_ids=asked["note_id"].unique().to_list()), on="note_id"
    )
    earning = wanted.filter(pl.col("total") > 0)
    without = judged.join(earning, on=["collection_id", "scheme_code"], how="anti").with_columns(
        reason=pl.col("status").replace_strict(
            {"waiting": reason.WAITING.value, "ineligible": reason.INELIGIBLE.value},
            default=reason.NOTHING.value,
            return_dtype=pl.String,
        )
    )
    part = asked.filter(pl.col("before_fen") > 0).with_columns(
        scheme_code=pl.lit(""), detail=pl.lit(""), reason=pl.lit(reason.INSTALMENT.value)
    )
    stopped = asked.join(blocked, on="collection_id").with_columns(
        reason=pl.lit(reason.BLOCKED.value)
    )
    key = [*PLANNED, "reason"]
    columns = [*DAY, "institution_id", "note_id", *key, "detail"]
    lacking = _lacking_papers(asked, earning.join(blocked, on=PLANNED, how="anti"))
    found = pl.concat(frame.select(columns) for frame in (without, part, stopped, lacking))
    known = plans.known_exceptions(days=found["collected_on"].unique().to_list())
    told = found.join(known, on=key, how="left")
    return told.filter(pl.col("dropped").is_null() | pl.col("dropped")).sort(key)


def _lacking_papers(asked: pl.DataFrame, earning: pl.DataFrame) -> pl.DataFrame:
    """Planned collections that earn, of notes without papers that the scheme asks for.

    They are served all the same: papers are the bank's duty, no document makes them a condition (A61).
    """
    missing = papers.missing_of(note_ids=asked["note_id"].unique().to_list())
    served = asked.join(earning.select("collection_id", "scheme_code"), on="collection_id")
    return served.join(missing, on=["note_id", "scheme_code"]).select(
        *served.columns,
        reason=pl.lit(PlanException.Reason.PAPERS.value),
        detail=pl.col("missing"),
    )


def _open_funds(due: pl.DataFrame) -> None:
    keys = {
        FundKey(place, scheme, tier)
        for tier in TIERS
        for place, scheme in due.filter(pl.col(f"{tier}_fen") > 0)
        .select("fund_institution_id", "scheme_id")
        .iter_rows()
    }
    funds.open_funds(keys=keys)


def _store(
    root: int, day: date, due: pl.DataFrame, odd: pl.DataFrame, *, actor: str, at: datetime
) -> int:
    of_day = (pl.col("root_id") == root) & (pl.col("collected_on") == day)
    mine, others = due.filter(of_day), odd.filter(of_day)
    plan = Plan.objects.create(
        institution_id=root,
        collected_on=day,
        planned_fen=int(mine["total"].sum()),
        made_by=actor,
        made_at=at,
    )
    owner = ["institution_id", "note_id", "collection_id"]
    columns = [*owner, "scheme_id", "fund_institution_id", "place", *MONEY]
    PlannedDeduction.objects.bulk_create(
        (
            PlannedDeduction(
                plan=plan,
                interest_fen=max(0, row["interest_due_fen"] - row["before_fen"]),
                **{name: row[name] for name in columns},
            )
            for row in mine.iter_rows(named=True)
        ),
        batch_size=BATCH,
    )
    exceptions = others.select(*owner, "scheme_code", "reason", pl.col("detail").str.slice(0, 500))
    PlanException.objects.bulk_create(
        (PlanException(plan=plan, **row) for row in exceptions.iter_rows(named=True)),
        batch_size=BATCH,
    )
    return int(plan.pk)


@transaction.atomic
def send_plan(*, plan_id: int, actor: str, at: datetime) -> None:
    """Let a draft that was looked at be checked; refuses one sent already, and one that is no draft."""
    waiting = Plan.objects.filter(pk=plan_id, state=Plan.State.DRAFT, sent_at__isnull=True)
    if not waiting.update(sent_by=actor, sent_at=at):
        raise DomainError(
            "plan_sent",
            bilingual("计划已送复核或已不是草稿", "the plan is sent already, or no draft any more"),
        )


@transaction.atomic
def check_plan(*, plan_id: int, actor: str, at: datetime) -> None:
    """Let a second person check a draft, and reserve its money as far as the funds go.

    In the order of service; what an enterprise owes back is offset first, what an advancing scheme's
    fund lacks is left to the bank's advance, a holding scheme's deduction is held whole (D19, D20). A plan all
    of which was collected meanwhile is closed at once. Refuses one's own plan and one no longer a draft.
    """
    locks.lock_enterprises(enterprise_ids=plans.borrowers(plan_id=plan_id))
    rows = list(PlannedDeduction.objects.filter(plan_id=plan_id, state="planned").order_by("place"))
    by_key = planned_money.funds_of(rows)
    held = funds.lock(fund_ids=by_key.values())
    reservations.lock_plans(plan_ids=[plan_id])
    plan = Plan.objects.get(pk=plan_id)
    _refuse_check(plan, actor)
    collected = plans.already_collected(plan_id=plan_id)
    reservations.end(
        ids=collected, state=PlannedDeduction.State.RELEASED, why="已有收息结果 / already collected"
    )
    live_ids = {one.id for one in live(plan_id=plan_id)}
    planned_money.reserve([row for row in rows if row.pk in live_ids], by_key, held)
    Plan.objects.filter(pk=plan_id).update(
        state=Plan.State.CHECKED, checked_by=actor, checked_at=at
    )
    if collected and not any(row.state == PlannedDeduction.State.HELD for row in rows):
        reservations.close_finished(plan_ids=[plan_id])


def _refuse_check(plan: Plan, actor: str) -> None:
    if plan.state != Plan.State.DRAFT:
        raise DomainError(
            "plan_not_draft",
            bilingual(f"计划 {plan} 不是待复核状态", "the plan no longer waits for a check"),
        )
    if plan.sent_at is None:
        raise DomainError(
            "plan_not_sent",
            bilingual(f"计划 {plan} 尚未送复核", "its maker has not sent the plan to be checked"),
        )
    ended_plans.refuse_own(plan=plan, actor=actor)
    if actor in plans.changed_by(plan_id=plan.pk):
        raise DomainError(
            "own_plan",
            bilingual(
                f"计划 {plan} 中有 {actor} 移出的代付，须由他人复核",
                "you took deductions out of it: another must check it",
            ),
        )
    blocked = of_plan(plan_id=plan.pk, limit=NAMED_MAX)
    if blocked:
        named = "；".join(f"{number} #{finding}" for number, finding in blocked)
        raise DomainError(
            "findings_block",
            bilingual(
                f"以下借据的贴息因核查事项暂停：{named}；请由两人判定不属实，或由经办将相应的代付移出计划后再复核",
                "findings block deductions of these notes: have them dismissed, or what is planned taken out",
            ),
        )
    lacking = papers.blocking(plan_id=plan.pk, limit=NAMED_MAX)
    if lacking:
        named = "；".join(f"{number} {papers.kind_name(kind)}" for number, kind in lacking)
        raise DomainError(
            "papers_missing",
            bilingual(
                f"以下借据缺少政策规定必备的资料：{named}；请补齐资料，或由经办将相应的代付移出计划后再复核",
                "notes lack papers without which their scheme allows no check: add them, or have what is planned taken out",
            ),
        )
