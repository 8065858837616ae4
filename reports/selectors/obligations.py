"""Where each obligation stands: what the reports say that have been made for it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Case,
    CharField,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)

from reports.models import SETTLED, TOLD, UNTOLD, Obligation, Report

TO_DO = ("overdue", "pending", "generated")  # not yet handed in


def with_standing(obligations: QuerySet[Any], *, today: date) -> QuerySet[Any]:
    """Obligations with `report_id`, `report_state` and `standing`, overdue ones first.

    `standing`: accepted, submitted; else overdue after the due day; else generated once there is a
    draft (checked or not), else pending. A correction not yet submitted does not undo a submission.
    A report of all schemes counts for each scheme it speaks of, once it was submitted.
    """
    reports = (
        Report.objects.filter(
            _answers(OuterRef("scheme_code")),
            institution=OuterRef("institution"),
            code=OuterRef("code"),
            period=OuterRef("period"),
        )
        .exclude(state__in=SETTLED)
        .order_by(
            Case(When(state__in=TOLD, then=Value(0)), default=Value(1)),
            Case(When(scheme_code="", then=Value(1)), default=Value(0)),
            "-version",
        )
    )
    standing = Case(
        When(report_state__in=TOLD, then=F("report_state")),
        When(due_on__lt=today, then=Value("overdue")),
        When(report_state__in=UNTOLD, then=Value("generated")),
        default=Value("pending"),
        output_field=CharField(),
    )
    place = Case(
        When(standing="overdue", then=Value(0)),
        When(standing__in=["pending", "generated"], then=Value(1)),
        default=Value(2),
    )
    told = obligations.annotate(
        report_id=Subquery(reports.values("pk")[:1]),
        report_state=Subquery(reports.values("state")[:1]),
    )
    found: QuerySet[Any] = told.annotate(standing=standing).annotate(place=place)
    return found.order_by("place", "due_on", "institution_id", "scheme_code", "code", "pk")


def _answers(scheme_code: Any) -> Q:
    """Which reports answer an obligation of this scheme: its own, and those of all with it among them."""
    one = Func(scheme_code, template="ARRAY[%(expressions)s]", output_field=ArrayField(CharField()))
    return Q(scheme_code=scheme_code) | Q(scheme_code="", state__in=TOLD, schemes__contains=one)


def reports_for(obligation: Obligation) -> QuerySet[Report]:
    """Every version made for it, its own first; of all schemes together what finance has or had."""
    of_all = Q(
        scheme_code="", submitted_at__isnull=False, schemes__contains=[obligation.scheme_code]
    )
    return Report.objects.filter(
        Q(scheme_code=obligation.scheme_code) | of_all,
        institution_id=obligation.institution_id,
        code=obligation.code,
        period=obligation.period,
    ).order_by("-scheme_code", "-version")


def obligations_of(report: Report) -> QuerySet[Obligation]:
    """What a report hands in once it is submitted: of its scheme, or of each it speaks of."""
    schemes = [report.scheme_code] if report.scheme_code else report.schemes
    return Obligation.objects.filter(
        institution_id=report.institution_id,
        code=report.code,
        period=report.period,
        scheme_code__in=schemes,
    ).order_by("due_on", "scheme_code")


def without_draft(*, code: str, today: date) -> QuerySet[Any]:
    """Obligations of a report whose draft should be there by now and is not, oldest first."""
    due = Obligation.objects.filter(code=code, draft_from__lte=today)
    return with_standing(due, today=today).filter(report_id=None).order_by("due_on", "pk")


def to_remind(*, today: date, until: date) -> QuerySet[Any]:
    """What is overdue, or has its last working day by `until`, and finance does not have."""
    near = Obligation.objects.filter(Q(due_on__lt=today) | Q(last_working_day__lte=until))
    found: QuerySet[Any] = (
        with_standing(near, today=today)
        .filter(standing__in=TO_DO)
        .exclude(reminders__day=today)
        .select_related("institution")
    )
    return found


def next_due(*, today: date, limit: int) -> list[Any]:
    """What is not handed in yet and due from today on, nearest first."""
    coming = with_standing(Obligation.objects.filter(due_on__gte=today), today=today)
    to_do = coming.filter(standing__in=TO_DO).select_related("institution")
    return list(to_do.order_by("due_on", "institution_id", "pk")[:limit])
