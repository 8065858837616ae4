"""`duplicate-probes/`: whether other banks subsidise the same, asked by keyed hashes, answered in three words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.api.answers import AnswersByKey
from config.kernel.api.problems import Fault, Problem
from config.kernel.api.serializers import CodeField, DayField, StrictSerializer, checked
from loans.api.endpoints import RuledEndpoint
from settlement.engine.exchange import HASH
from settlement.models import Probe
from settlement.models.exchange import QUESTIONS_MAX
from settlement.selectors.exchange import answer_of
from settlement.services import exchange
from settlement.services.exchange import Question

RETRY = {"Retry-After": "60"}
KEY_ID = "^[a-z0-9][a-z0-9-]{0,39}$"
FOR_BANKS = "只有银行的客户端可以查询 / only a client of a bank asks"
REVERSED = "贴息末日早于首日 / the last day is before the first"
EXAMPLE = {
    "key_id": "circle-2026",
    "questions": [
        {
            "hash": "3f0a377ba0a4a460ecb616f6507ce0d8cfa3e704025d4fda3ed0c5ca05468728",
            "first_day": "2026-02-02",
            "last_day": "2027-02-01",
        }
    ],
}


class QuestionIn(StrictSerializer):
    """One matter: its hash, and the days for which it is subsidised."""

    hash = CodeField(pattern=HASH)
    first_day = DayField(help_text="贴息首日 / first subsidised day")
    last_day = DayField(help_text="贴息末日（含）/ last subsidised day")


class ProbeIn(StrictSerializer):
    """Questions under one key."""

    key_id = CodeField(pattern=KEY_ID, help_text="密钥编号 / which key the hashes are made with")
    questions = serializers.ListField(
        child=QuestionIn(), min_length=1, max_length=QUESTIONS_MAX, allow_empty=False
    )


class ProbeAsked(serializers.Serializer[Any]):
    """A probe on record; its answer is at its address."""

    id = serializers.IntegerField()
    asked = serializers.IntegerField(help_text="查询条数 / how many questions")
    asked_at = serializers.DateTimeField(source="at")


class ConflictOut(serializers.Serializer[Any]):
    """One question that conflicts with another bank's subsidy."""

    question = serializers.IntegerField(help_text="第几条，从 1 起 / which question, from 1")
    scheme = serializers.CharField(
        help_text="互斥组 / the group of schemes that exclude each other"
    )
    ask = serializers.CharField(help_text="应询问的银行 / the bank to ask")


class ProbeOut(ProbeAsked):
    """A probe and all that is said to it."""

    conflicts = ConflictOut(many=True)


class DuplicateProbes(RuledEndpoint, AnswersByKey):
    """Asked in one request, which is kept, answered in the next: nobody asks without being on record."""

    needs = dict.fromkeys(("create", "retrieve", "by_key"), "duplicate-probes:ask")

    @extend_schema(
        summary="跨行查询重复贴息 / ask whether other banks subsidise the same",
        request=ProbeIn,
        responses={201: ProbeAsked},
        examples=[OpenApiExample("查询 / a probe", EXAMPLE, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        """Put it on record; Location is where its answer is."""
        place = self._place()
        asked = checked(ProbeIn, request.data)
        questions = [Question(**one) for one in asked["questions"]]
        faults = [
            Fault(f"/questions/{number}/last_day", "period_reversed", REVERSED)
            for number, one in enumerate(questions)
            if one.last_day < one.first_day
        ]
        if faults:
            raise Problem("period_reversed", REVERSED, status=422, faults=faults)

        def act(at: datetime) -> Response:
            made = exchange.ask(
                institution_id=place, key_id=asked["key_id"], questions=questions,
                actor=self.caller.actor, at=at,
            )  # fmt: skip
            made.refresh_from_db(fields=["at"])
            return Response(
                ProbeAsked(made).data,
                status=201,
                headers={"Location": reverse("api-duplicate-probe", kwargs={"id": made.pk})},
            )

        return self.acted(act)

    @extend_schema(summary="查询应答 / what a probe is told", responses=ProbeOut)
    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002 (the address's name)
        """Conflicts with other banks, the same every time; what conflicts with nothing is not listed."""
        self._place()
        probe = self.found(Probe.objects.filter(actor=self.caller.actor), id)
        told = ProbeAsked(probe).data | {"conflicts": answer_of(probe_id=probe.pk)}
        return Response(told)

    def refusal(self, error: Exception) -> Problem | None:
        """Another key is told before anything is looked up; who asks too often waits."""
        problem = super().refusal(error)
        if problem is not None and problem.code == "too_many_probes":
            return Problem("too_many_requests", problem.message, headers=RETRY)
        if problem is not None and problem.code == "exchange_key_unknown":
            fault = Fault("/key_id", problem.code, problem.message)
            return Problem(problem.code, problem.message, status=422, faults=[fault])
        return problem

    def _place(self) -> int:
        """The institution that asks; finance has no notes of its own to ask about."""
        found = self.caller.client.bound_to_id
        if found is None:
            raise Problem("not_permitted", FOR_BANKS)
        return int(found)
