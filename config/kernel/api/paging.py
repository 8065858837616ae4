"""Cursor pages: newest first, each by the key of its last row, over every part of the caller's scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response

from config.kernel.api.endpoints import Endpoint
from config.kernel.services import scope

CURSOR_SIGN = "after-"
CURSOR = f"^{CURSOR_SIGN}[1-9][0-9]{{0,17}}$"  # what `next` holds; a query's cursor was checked to be one
PAGE_SIZE = 100
PAGE_SIZE_MAX = 1_000


def page(
    endpoint: Endpoint,
    rows: models.QuerySet[Any],
    shape: Callable[[Any], Mapping[str, Any]],
    *,
    asked: Mapping[str, Any],
) -> Response:
    """One page of rows by primary key, newest first; `asked`: the checked query."""
    size = asked.get("page_size") or PAGE_SIZE
    if asked.get("cursor"):
        rows = rows.filter(pk__lt=_decoded(asked["cursor"]))
    found: list[Any] = []
    for part in endpoint.caller.ranges:
        scope.set_scope(*part)
        found += rows.order_by("-pk")[: size + 1]
    found.sort(key=lambda row: row.pk, reverse=True)
    body: dict[str, Any] = {"next": None, "results": [shape(row) for row in found[:size]]}
    if len(found) > size:
        query = endpoint.request.GET.copy()
        query["cursor"] = _encoded(found[size - 1].pk)
        body["next"] = endpoint.request.build_absolute_uri(
            f"{endpoint.request.path}?{query.urlencode()}"
        )
    return Response(body)


@cache  # one shape, one component of the document
def page_of(item: type[serializers.Serializer[Any]]) -> Any:
    """What the document says of a page of such rows."""
    shape = {
        "next": serializers.URLField(
            allow_null=True, help_text="下一页，没有时为空 / the next page, null at the end"
        ),
        "results": item(many=True),
    }
    made = type(f"{item.__name__.removesuffix('Out')}Page", (serializers.Serializer,), shape)
    return extend_schema_serializer(many=False)(made)


def _encoded(number: int) -> str:
    return f"{CURSOR_SIGN}{number}"


def _decoded(text: str) -> int:
    return int(text.removeprefix(CURSOR_SIGN))
