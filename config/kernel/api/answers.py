"""`GET …/by-key/{key}/`: what became of a request whose answer was lost on the way (contract §5)."""

from __future__ import annotations

import json
import re
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.api import idempotency
from config.kernel.api.endpoints import Endpoint
from config.kernel.api.problems import Problem

BY_KEY: dict[str, Any] = {"get": "by_key"}


class KeptAnswer(serializers.Serializer[Any]):
    """An answer as it was first given, and to what."""

    key = serializers.CharField()
    method = serializers.CharField()
    path = serializers.CharField()
    answered_at = serializers.DateTimeField(source="at")
    status = serializers.IntegerField(help_text="当时的状态码 / the status it had")
    location = serializers.CharField(help_text="当时的 Location，没有则为空 / its Location, if any")
    body = serializers.SerializerMethodField(help_text="当时的应答 / the answer itself")

    def get_body(self, kept: Any) -> dict[str, Any]:
        """The body as it was kept."""
        found: dict[str, Any] = json.loads(kept.body)
        return found


class AnswersByKey(Endpoint):
    """A collection whose kept answers can be asked for by the key of the request.

    404: nothing was done under that key, the request may be sent (again). A request under way is waited
    for, and `busy` if that takes too long. The answer comes inside another, so that a refusal that was
    kept is not taken for one of this request.
    """

    @extend_schema(
        summary="按幂等键查询首次应答 / the answer kept under an Idempotency-Key",
        parameters=[
            OpenApiParameter(
                "key", str, OpenApiParameter.PATH, required=True, pattern=f"^{idempotency.KEY}$"
            )
        ],
        responses=KeptAnswer,
    )
    def by_key(self, request: Request, key: str) -> Response:
        """Only requests to this collection and below it."""
        collection = request.path.removesuffix(f"by-key/{key}/")
        kept = None
        if re.fullmatch(idempotency.KEY, key):
            kept = idempotency.kept(caller=self.caller, key=key)
        if kept is None or not kept.path.startswith(collection):
            raise Problem("not_found")
        return Response(KeptAnswer(kept).data)
