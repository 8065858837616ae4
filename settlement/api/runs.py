"""`POST deduction-runs/`: a core orders a plan, or a posting that a second person releases."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.api import jobs
from config.kernel.api.answers import AnswersByKey
from config.kernel.api.jobs import Came, JobOrdered
from config.kernel.api.problems import Problem
from config.kernel.api.serializers import CodeField, DayField, FlagField, StrictSerializer, checked
from config.kernel.models import Institution, Run
from config.kernel.services import scope
from loans.api.endpoints import RuledEndpoint
from loans.selectors.facts import last_collected_on
from settlement.models import Plan, Recomputation
from settlement.models.recomputation import PLAN, POST, RESULTS, TRIAL
from settlement.selectors.plans import last_planned_on
from settlement.services import orders, recomputations
from settlement.tasks import work_order

CODE_MAX = 14
PLANS_SHOWN = 100
FOR_BANKS = "财政部门不下达银行的贴息计算 / a finance department does not order runs of a bank"
NOTHING = {
    True: "没有尚未收取的应收利息 / no interest is waiting to be collected",
    False: "没有已收利息 / no interest has been collected",
}
PLAN_EXAMPLE = OpenApiExample(
    "编制结息日计划 / plan an interest day",
    {"plan": True, "through": "2026-06-21"},
    request_only=True,
)
POST_EXAMPLE = OpenApiExample(
    "试算待复核入账 / work out what a second person releases",
    {"through": "2026-03-31"},
    request_only=True,
)


class RunOrder(StrictSerializer):
    """What is to be worked out."""

    plan = FlagField(
        required=False,
        help_text="true：编制计划（应收未收）；false：已收利息入账"
        " / true: plan interest not collected yet; false: post interest that was",
    )
    through = DayField(
        required=False,
        help_text="截至该日（含）；默认为最后一个有利息的日子"
        " / up to this day; by default the last with interest",
    )
    institution_code = CodeField(
        required=False, max_length=CODE_MAX, help_text="默认为客户端的机构 / the client's own"
    )


class DeductionRuns(RuledEndpoint, AnswersByKey):
    """What a machine orders is drafted or tried by a worker; another, a person, lets money move."""

    needs = dict.fromkeys(("create", "by_key"), "deduction-runs:write")
    money = frozenset({"create"})

    @extend_schema(
        summary="下达贴息计算 / order a deduction run",
        operation_id="post_deduction_run",
        request=RunOrder,
        responses={202: JobOrdered},
        examples=[PLAN_EXAMPLE, POST_EXAMPLE],
    )
    def create(self, request: Request) -> Response:
        """Order it: 202."""
        if self.caller.scheme_codes is not None:
            raise Problem("not_permitted", FOR_BANKS)
        asked = checked(RunOrder, request.data)
        place = self._place(asked.get("institution_code"))
        is_plan = bool(asked.get("plan"))
        through = asked.get("through") or (last_planned_on() if is_plan else last_collected_on())

        def act(at: datetime) -> Response:
            if through is None:
                raise Problem("nothing_collected", NOTHING[is_plan], status=409)
            order = self._plan if is_plan else self._try
            run_id = order(place, through, at)
            # A message that is lost is made up by the sweep.
            transaction.on_commit(lambda: work_order.delay(run_id=run_id), robust=True)
            return jobs.ordered(run_id)

        return self.acted(act)

    def _place(self, code: str | None) -> Institution:
        """The institution whose interest it is about, which is the scope from here on."""
        if code is not None:
            place, _ = self.within(code)
        else:
            found = self.caller.client.bound_to
            assert found is not None, "a bank's client is bound to an institution"
            place = found
        scope.set_scope(*place.scope)
        return place

    def _plan(self, place: Institution, through: date, at: datetime) -> int:
        """Drafts: a person looks at them and sends them, another releases them."""
        params = {"through": through.isoformat()}
        actor = self.caller.actor
        return orders.order(kind=PLAN, params=params, scope=place.scope, actor=actor, at=at)

    def _try(self, place: Institution, through: date, at: datetime) -> int:
        """A trial, which another posts; posted at once where a checker stands in (AUTO_CHECK)."""
        actor, within = self.caller.actor, place.scope
        if settings.AUTO_CHECK:
            params: dict[str, Any] = {"through": through.isoformat()}
            return orders.order(kind=POST, params=params, scope=within, actor=actor, at=at)
        key = recomputations.propose(institution_id=place.pk, through=through, actor=actor, at=at)
        params = {"recomputation": key}
        return orders.order(kind=TRIAL, params=params, scope=within, actor=actor, at=at)


def _came(run: Run) -> Came:
    """The counts, and what people go on with: the plans, or the recomputation and its state."""
    told: dict[str, Any] = dict(run.stats or {})
    if run.kind == PLAN:
        made = Plan.objects.filter(made_by=run.actor, made_at=run.created_at).order_by("pk")
        told["plans"] = list(made.values_list("pk", flat=True)[:PLANS_SHOWN])
    row = Recomputation.objects.filter(pk=run.params.get("recomputation")).first()
    if row is not None:
        told["recomputation"] = {"id": row.pk, "state": row.state}
    return Came(told)


jobs.RESULTS.update(dict.fromkeys((PLAN, RESULTS, TRIAL, POST), _came))
