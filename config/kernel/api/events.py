"""`GET event-schemas/`: what events look like that are posted to a client's addresses."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.api.endpoints import Endpoint
from config.kernel.api.serializers import NoQuery, query
from config.kernel.services.event_schemas import event_schemas

SHAPE = {"type": "object", "additionalProperties": {"type": "object"}}


class EventSchemas(Endpoint):
    """The JSON Schema of the body posted for each topic, for whoever may read jobs."""

    needs = {"retrieve": "jobs:read"}

    @extend_schema(
        summary="事件报文的 JSON Schema / JSON Schemas of events",
        responses={(200, "application/json"): SHAPE},
    )
    def retrieve(self, request: Request) -> Response:
        """By topic."""
        query(NoQuery, request)
        return Response(event_schemas())
