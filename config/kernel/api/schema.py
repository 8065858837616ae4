"""What the OpenAPI document says of every endpoint alike: who may ask, keys, signatures and errors."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema

from config.kernel.api.bodies import MAX_DEPTH
from config.kernel.api.codes import CODES
from config.kernel.api.idempotency import HEADER, KEPT_DAYS, KEY

PROBLEM = "#/components/schemas/Problem"
ALWAYS = (400, 401, 403, 406, 429, 500, 503)
TOO_LONG = (
    "地址过长，由 Web 服务器以 HTML 应答 / the address is too long: the web server says so, in HTML"
)
OF_POSTS = (409, 413, 415, 422)
TEXT = r"^\S(?:.*\S)?$"
_ERRORS = {
    status: "；".join(f"`{code}`" for code, known in CODES.items() if known.status == status)
    for status in {known.status for known in CODES.values()}
}


class EndpointSchema(AutoSchema):
    """Adds to each operation what `Endpoint` does for all of them."""

    view: Any

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        """The operation with errors, scope, and for a POST the key and the signature."""
        operation = super().get_operation(*args, **kwargs)
        if operation is None or not hasattr(self.view, "needs"):
            return operation
        is_post = self.method == "POST"
        statuses = {*ALWAYS, *(OF_POSTS if is_post else ())}
        if "{" in self.path:
            statuses.add(404)
        if "{key}" in self.path:
            statuses.add(409)
        answers = operation["responses"]
        for status in sorted(statuses):
            answers.setdefault(str(status), _problem(status))
        answers.setdefault("414", {"description": TOO_LONG})
        operation["responses"] = dict(sorted(answers.items()))
        operation["security"] = [{"oauth2": [self.view.needs[self.view.action]]}]
        if is_post:
            operation["requestBody"]["required"] = True
            operation.setdefault("parameters", []).extend(self._headers())
        return operation

    def _is_list_view(self, serializer: Any = None) -> bool:
        """A list by name alone: what is answered is a page, an object."""
        return serializer is None and bool(super()._is_list_view())

    def _headers(self) -> list[dict[str, Any]]:
        is_money = self.view.action in self.view.money
        key = {
            "name": HEADER,
            "in": "header",
            "required": is_money,
            "schema": {"type": "string", "pattern": f"^{KEY}$"},
            "description": f"同键同文返回首次应答，保留 {KEPT_DAYS} 天 / "
            f"the same key and body get the first answer again; kept {KEPT_DAYS} days",
        }
        if not is_money:
            return [key]
        told = "客户端登记为须签名时必填（RFC 9421）/ of clients registered to sign (RFC 9421)"
        names = ("Signature-Input", "Signature", "Content-Digest")
        text = {"type": "string"}  # of clients that do not sign nobody reads them
        return [
            key,
            *({"name": n, "in": "header", "schema": text, "description": told} for n in names),
        ]


def _problem(status: int) -> dict[str, Any]:
    headers = {}
    if status in {409, 429, 503}:
        headers = {"Retry-After": {"schema": {"type": "integer"}, "description": "秒 / seconds"}}
    return {
        "description": _ERRORS.get(status, "") or str(status),
        "content": {"application/problem+json": {"schema": {"$ref": PROBLEM}}},
        **({"headers": headers} if headers else {}),
    }


class Strict(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """An input has no other members than those it names."""

    target_class = "config.kernel.api.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        """As any serializer, closed."""
        plain = auto_schema._map_serializer(  # noqa: SLF001 (how an extension asks for the rest)
            self.target, direction, bypass_extensions=True
        )
        return {**plain, "additionalProperties": False}


class Texts(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A text begins and ends with something to be seen."""

    target_class = "config.kernel.api.serializers.TextField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        """As any text, with the pattern."""
        plain = auto_schema._map_serializer_field(  # noqa: SLF001 (how an extension asks for the rest)
            self.target, direction, bypass_extensions=True
        )
        return {**plain, "pattern": getattr(self.target, "pattern", TEXT)}


class WholeNumbers(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A whole number says its bounds."""

    target_class = "config.kernel.api.serializers.WholeNumberField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:  # noqa: ARG002
        """Integer from low to high."""
        return {"type": "integer", "minimum": self.target.low, "maximum": self.target.high}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How a client proves who it is."""

    target_class = "config.kernel.api.authentication.TokenAuthentication"
    name = "oauth2"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:  # noqa: ARG002
        """OAuth2, client credentials."""
        flow = {"tokenUrl": reverse("token"), "scopes": settings.API_SCOPES}
        return {"type": "oauth2", "flows": {"clientCredentials": flow}}


def finish(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the one shape of errors, and what the document as a whole has to say."""
    result["components"].setdefault("schemas", {})["Problem"] = _problem_schema()
    _link(result["paths"])
    result["info"]["description"] = DESCRIPTION
    return result


def _link(paths: dict[str, Any]) -> None:
    """Say where what an answer names is found: a job that was ordered, the rows of a list."""
    for path, operations in paths.items():
        for operation in operations.values():
            answers = operation["responses"]
            if "202" in answers:
                job = {"operationId": "get_job", "parameters": {"id": "$response.body#/job"}}
                answers["202"]["links"] = {"job": job}
        if "get" not in operations or f"{path}{{id}}/" not in paths:
            continue
        named = {"id": "$response.body#/results/0/id"}
        operations["get"]["responses"]["200"]["links"] = {
            below["get"]["operationId"]: {
                "operationId": below["get"]["operationId"],
                "parameters": named,
            }
            for inner, below in paths.items()
            if inner.startswith(f"{path}{{id}}/") and "get" in below
        }


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    fault = {
        "type": "object",
        "required": ["pointer", "code", "detail"],
        "properties": {"pointer": text, "code": text, "detail": text, "value": text},
    }
    return {
        "type": "object",
        "description": "RFC 9457",
        "required": ["type", "title", "status", "code", "detail", "instance"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": text,
            "status": {"type": "integer"},
            "code": text,
            "detail": text,
            "instance": {"type": "string", "format": "uri"},
            "errors": {"type": "array", "items": fault},
            "errors_total": {"type": "integer"},
            "available": {
                "type": "string",
                "description": "insufficient_funds：该资金可用余额（元）/ what the fund has, yuan",
            },
            "known": {
                "type": "array",
                "items": {"type": "integer"},
                "description": "row_known：已存记录的编号 / ids of what is stored already",
            },
        },
    }


DESCRIPTION = f"""\
金额一律为以元为单位的字符串，最多两位小数（`"123.45"`）；日期为 `2026-03-21`；账期半开。请求体为严格 JSON：
重复键、NaN、未知字段、嵌套超过 {MAX_DEPTH} 层、非 UTF-8 一律 400。错误按 RFC 9457，`Accept-Language: en` 得英文。

Amounts are strings in yuan with at most two decimals, days are ISO dates, periods are half-open. Bodies are
strict JSON. Errors follow RFC 9457, in English for `Accept-Language: en`.

签名 / Signatures: RFC 9421, `hmac-sha256` or `ed25519`, covering `"@method" "@path" "@query" "content-digest"
"idempotency-key"`, with `created`, `expires` (at most 300 s later), `keyid` and a `nonce` of 16 to 128 characters
that is taken once. A retry is signed anew, under the same Idempotency-Key.
"""
