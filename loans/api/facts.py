"""`POST notes/`, `repayments/`, `interest-collections/`, `review-results/`: facts as they come about."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.api.answers import AnswersByKey
from config.kernel.api.bodies import MAX_BULK_BYTES
from config.kernel.api.problems import Fault, Problem
from config.kernel.models import Scope
from config.kernel.services import scope
from loans.api import items, shapes
from loans.api.endpoints import RuledEndpoint
from loans.services import locks
from loans.services.outcomes import Outcome, Source

BY_API = "接口 / REST"


class Counts(serializers.Serializer[Any]):
    """What a list did."""

    kind = serializers.CharField()
    received = serializers.IntegerField()
    stored = serializers.IntegerField(help_text="新增 / new")
    corrected = serializers.IntegerField(help_text="更正 / corrections")
    unchanged = serializers.IntegerField(help_text="与已存相同 / known already")
    batch = serializers.IntegerField(
        allow_null=True, help_text="批次 / batch, null if nothing changed"
    )


def counts(outcome: Outcome) -> dict[str, Any]:
    """What a list did, as it is told to its sender."""
    return {
        "kind": outcome.kind,
        "received": outcome.rows,
        "stored": outcome.inserted,
        "corrected": outcome.corrected,
        "unchanged": outcome.unchanged,
        "batch": outcome.batch_id,
    }


class FactEndpoint(RuledEndpoint, AnswersByKey):
    """One kind of fact, one object or a list up to 10,000, all or nothing."""

    max_bytes = MAX_BULK_BYTES
    kind: ClassVar[str]

    def create(self, request: Request) -> Response:
        """Store them: 201, or 200 where all of it was known already."""
        body = items.items_of(request.data)
        self._require_schemes(body)
        part = self._part(body)

        def source(at: datetime) -> Source:
            return Source(self.caller.actor, at, part, BY_API)

        def act(at: datetime) -> Response:
            with locks.patient():
                outcome = items.take_in(kind=self.kind, body=body, source=source(at))
                return self.stored(outcome, body, source(at))

        def at_once(at: datetime) -> Response | None:
            with locks.told_busy():
                return self.stored_at_once(body, source(at)) if body.is_single else None

        return self.acted(act, at_once=at_once)

    def stored_at_once(self, body: items.Body, source: Source) -> Response | None:  # noqa: ARG002 (for kinds that have a short way)
        """One ordinary item stored the short way; None, with nothing done, if there is none for it."""
        return None

    def stored(self, outcome: Outcome, body: items.Body, source: Source) -> Response:  # noqa: ARG002 (for kinds that go on from here)
        """What is answered once they are taken in."""
        is_new = bool(outcome.inserted or outcome.corrected)
        return Response(counts(outcome), status=201 if is_new else 200)

    def _require_schemes(self, body: items.Body) -> None:
        """A finance department speaks of the schemes that answer to it."""
        own = self.caller.scheme_codes
        if own is None:
            return
        told = "未知的政策，或不由贵部门主管 / unknown scheme, or not your department's"
        faults = [
            Fault(
                f"{body.prefix(index)}/scheme_code",
                "unknown_reference",
                told,
                str(item["scheme_code"]),
            )
            for index, item in enumerate(body.items)
            if type(item.get("scheme_code")) is str and item["scheme_code"] not in own
        ]
        if faults:
            raise Problem("refused_content", faults=faults)

    def _part(self, body: items.Body) -> Scope:
        """The one part of the caller's scope that all items are of, which is the scope from here on."""
        if self.caller.only is not None:
            return self.caller.only
        asked = {
            str(item.get("institution_code")): index
            for index, item in reversed([*enumerate(body.items)])
        }
        parts = self.caller.parts(asked)
        found: dict[Scope, int] = {}
        for code, index in asked.items():
            part = parts.get(code)
            if part is None:
                raise Problem("refused_content", faults=[_outside(body, index, code)])
            found.setdefault(part, index)
        if len(found) > 1:
            index = max(found.values())
            told = "一次请求只能涉及一家银行 / one request is about one bank"
            pointer = f"{body.prefix(index)}/institution_code"
            raise Problem("refused_content", faults=[Fault(pointer, "several_banks", told)])
        (part,) = found
        scope.set_scope(*part)
        return part


def _outside(body: items.Body, index: int, code: str) -> Fault:
    told = "未登记的机构编码，或不在授权范围内 / unknown institution, or outside your scope"
    return Fault(f"{body.prefix(index)}/institution_code", "unknown_reference", told, code)


def _documented(kind: str, zh: str, en: str) -> Any:
    return extend_schema(
        summary=f"{zh} / {en}",
        operation_id=f"post_{kind.replace('-', '_')}",
        request={"application/json": shapes.one_or_many(kind)},
        responses={200: Counts, 201: Counts},
    )


class Notes(FactEndpoint):
    """Notes drawn; the same number with other content is a correction."""

    kind = "notes"
    needs = {"create": "notes:write", "by_key": "notes:write"}

    @_documented(kind, "登记借据", "enter notes")
    def create(self, request: Request) -> Response:
        """See the kind."""
        return super().create(request)


class Repayments(FactEndpoint):
    """Principal paid back; evidence, so it is reversed and never changed."""

    kind = "repayments"
    needs = {"create": "repayments:write", "by_key": "repayments:write"}

    @_documented(kind, "登记还本", "enter repayments")
    def create(self, request: Request) -> Response:
        """See the kind."""
        return super().create(request)


class InterestCollections(FactEndpoint):
    """Interest collected or planned to be; evidence."""

    kind = "interest-collections"
    needs = {"create": "interest-collections:write", "by_key": "interest-collections:write"}

    @_documented(kind, "登记收息", "enter interest collections")
    def create(self, request: Request) -> Response:
        """See the kind."""
        return super().create(request)


class ReviewResults(FactEndpoint):
    """What finance's monthly review found of a note (SME-13, MF-17); evidence."""

    kind = "review-results"
    needs = {"create": "review-results:write", "by_key": "review-results:write"}

    @_documented(kind, "登记审核结果", "enter review results")
    def create(self, request: Request) -> Response:
        """See the kind."""
        return super().create(request)
