"""Strict JSON: what other parsers let by in silence is refused, and nothing is taken for what it is not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any

from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser

from config.kernel.api.problems import Fault, Problem

MAX_BYTES = 1 << 20
MAX_BULK_BYTES = 10 << 20
MAX_DEPTH = 20
MAX_DIGITS = 19
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WHOLE = re.compile(r"[0-9]{1,9}\.0+")
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])|\x00")


class Number(str):
    """A number with a fraction or an exponent, or a very long one, as it was written."""

    __slots__ = ()


def whole(value: Any) -> int | None:
    """The whole number that a value is, 2026.0 among them, which is 2026 in JSON; None: it is none."""
    if isinstance(value, Number) and _WHOLE.fullmatch(value):
        return int(value.partition(".")[0])
    return value if type(value) is int else None


class StrictJSONParser(BaseParser):
    """`application/json` in UTF-8, refused with its own code for each way of being ambiguous."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the body as plain values; raises Problem."""
        context = parser_context or {}
        request, view = context["request"], context["view"]
        _require_plain(request, media_type or "")
        limit = getattr(view, "max_bytes", MAX_BYTES)
        body = _read(stream, request, limit)
        if body.startswith(BYTE_ORDER_MARK):
            raise Problem("wrong_encoding")
        return load(body)


def _require_plain(request: Any, media_type: str) -> None:
    charset = re.search(r";\s*charset=\s*\"?([^\s;\"]*)", media_type, re.IGNORECASE)
    is_utf8 = charset is None or charset[1].lower() in {"utf-8", "utf8"}
    if not is_utf8 or request.META.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise UnsupportedMediaType(media_type)


def _read(stream: IO[bytes], request: Any, limit: int) -> bytes:
    """The whole body: the signature is checked against it, so it is kept with the request."""
    size = request.META.get("CONTENT_LENGTH") or "0"
    if size.isdecimal() and int(size) > limit:
        raise Problem("body_too_large")
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise Problem("body_too_large")
    request._request.api_body = body  # noqa: SLF001 (the only place that outlives DRF's own request)
    return body


def load(body: bytes) -> Any:
    """Strict JSON to plain values; raises Problem."""
    _require_shallow(body)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Problem("wrong_encoding") from error
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=Number,
            parse_int=_whole,
        )
    except json.JSONDecodeError as error:
        where = (
            f"第 {error.lineno} 行第 {error.colno} 列",
            f"line {error.lineno}, column {error.colno}",
        )
        message = f"不是合法的 JSON：{where[0]} / not valid JSON: {where[1]}"
        raise Problem("malformed_json", message) from error
    if _SUSPECT.search(body):
        _require_storable(value)
    return value


def _require_shallow(body: bytes) -> None:
    depth = 0
    for bracket in _STRINGS.sub(b"", body).translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise Problem("too_deep")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"键 {twice[:32]!r} 重复 / the key {twice[:32]!r} occurs twice"
        raise Problem("duplicate_key", message)
    return found


def _refuse_constant(name: str) -> Any:
    message = f"JSON 没有 {name} / there is no {name} in JSON"
    raise Problem("malformed_json", message)


def _whole(text: str) -> Any:
    return int(text) if len(text) <= MAX_DIGITS else Number(text)


def _require_storable(value: Any) -> None:
    faults = [
        Fault(pointer, "forbidden_character", "有 NUL 或不成对的代理字符 / NUL or a lone surrogate")
        for pointer, text in _texts("", value)
        if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text)
    ]
    if faults:
        raise Problem("forbidden_character", faults=faults)


def _texts(pointer: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text of a value with its pointer, names of members among them."""
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(f"{pointer}/{index}", item)
    elif isinstance(value, dict):
        for name, item in value.items():
            place = name.encode("ascii", "backslashreplace").decode()
            inner = f"{pointer}/{place.replace('~', '~0').replace('/', '~1')}"
            yield inner, name
            yield from _texts(inner, item)
