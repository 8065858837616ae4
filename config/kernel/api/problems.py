"""Errors as RFC 9457 says: one shape for everything that goes wrong, in Chinese or in English."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from psycopg.errors import LockNotAvailable
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from config.kernel.api.codes import CODES
from config.kernel.services import tracing

MEDIA_TYPE = "application/problem+json"
SHOWN_CHARACTERS = 32
ERRORS_SHOWN = 1_000  # of a body of ten thousand items
RETRY_SECONDS = 1

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a body or query; `pointer` is a JSON pointer (RFC 6901), or a parameter."""

    pointer: str
    code: str
    message: str
    value: str | None = None


@dataclass
class Problem(Exception):
    """A refusal on its way out: a code of `codes.CODES`, or a rule's own with its status."""

    code: str
    message: str = ""
    status: int = 0
    faults: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.code)
        known = CODES.get(self.code)
        self.status = self.status or (known.status if known else 409)
        self.message = self.message or (known.message if known else self.code)

    @property
    def is_final(self) -> bool:
        """Whether the same request would be refused again: only that is kept under its key."""
        return self.status == 409 and self.code != "busy"


def in_language(message: str, language: str) -> str:
    """The half of a message `中文 / English` that the reader asked for; all of it if there is one half."""
    chinese, divider, english = message.partition(" / ")
    return english if divider and language.startswith("en") else chinese


def language_of(request: Any) -> str:
    """Chinese, unless the request prefers English to it."""
    wanted: dict[str, float] = {}
    for part in request.META.get("HTTP_ACCEPT_LANGUAGE", "").split(","):
        name, _, weight = part.strip().lower().partition(";q=")
        wanted[name[:2]] = max(wanted.get(name[:2], 0), _weight(weight))
    return "en" if wanted.get("en", 0) > wanted.get("zh", 0) else "zh-CN"


def _weight(text: str) -> float:  # a preference, no amount
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


def body_of(problem: Problem, language: str) -> dict[str, Any]:
    """The members of the answer; `errors` only where something of the request is named."""
    known = CODES.get(problem.code)
    body: dict[str, Any] = {
        "type": f"urn:tiexi:problem:{problem.code}",
        "title": in_language(known.message if known else problem.message, language),
        "status": problem.status,
        "code": problem.code,
        "detail": in_language(problem.message, language),
        "instance": f"urn:request:{tracing.request_id()}",
    }
    if problem.faults:
        body["errors"] = [_fault(fault, language) for fault in problem.faults[:ERRORS_SHOWN]]
        if len(problem.faults) > ERRORS_SHOWN:
            body["errors_total"] = len(problem.faults)
    return body | dict(problem.more)


def _fault(fault: Fault, language: str) -> dict[str, str]:
    shown = {
        "pointer": fault.pointer,
        "code": fault.code,
        "detail": in_language(fault.message, language),
    }
    if fault.value is not None:
        shown["value"] = _printable(fault.value[:SHOWN_CHARACTERS])
    return shown


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def answer(problem: Problem, request: Any) -> Response:
    """The problem as an answer of an endpoint."""
    language = language_of(request)
    headers = {"Content-Language": language, **problem.headers}
    return Response(
        body_of(problem, language),
        status=problem.status,
        headers=headers,
        content_type=MEDIA_TYPE,
    )


def plain_answer(problem: Problem, request: HttpRequest) -> HttpResponse:
    """The same where no endpoint was reached."""
    language = language_of(request)
    text = json.dumps(body_of(problem, language), ensure_ascii=False)
    headers = {"Content-Language": language, **problem.headers}
    return HttpResponse(text, status=problem.status, content_type=MEDIA_TYPE, headers=headers)


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Whatever an endpoint raises, as a problem; None (a fault of ours) is left to Django."""
    problem = problem_of(error)
    if problem is None:
        return None
    set_rollback()
    if problem.status >= 500:
        logger.error("%s", problem.code, exc_info=error)
    return answer(problem, context["request"])


def problem_of(error: BaseException | None) -> Problem | None:
    """What an exception means to the client; None: nothing it could do anything about."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    if isinstance(error, Http404):
        return Problem("not_found")
    if isinstance(error, DjangoDenied):
        return Problem("not_permitted")
    if isinstance(error, RequestDataTooBig):
        return Problem("body_too_large")
    if isinstance(error, SuspiciousOperation):
        return Problem("bad_request")
    if isinstance(error, DatabaseError):
        return _of_database(error)
    return None


def _of_database(error: DatabaseError) -> Problem | None:
    retry = {"Retry-After": str(RETRY_SECONDS)}
    if isinstance(error.__cause__, LockNotAvailable):
        return Problem("busy", headers=retry)
    if isinstance(error, OperationalError):
        return Problem("unavailable", headers=retry)
    return None


def _of_framework(error: exceptions.APIException) -> Problem:
    headers: dict[str, str] = {}
    challenge = getattr(error, "auth_header", None)
    if challenge:
        headers["WWW-Authenticate"] = challenge
    wait = getattr(error, "wait", None)
    if wait:
        headers["Retry-After"] = str(int(wait))
    if isinstance(error, exceptions.AuthenticationFailed | exceptions.NotAuthenticated):
        code = "token_invalid" if isinstance(error, exceptions.AuthenticationFailed) else "no_token"
    else:
        code = FRAMEWORK.get(error.status_code, "bad_request")
    return Problem(code, status=error.status_code, headers=headers)


FRAMEWORK = {
    403: "not_permitted",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    415: "unsupported_media_type",
    429: "too_many_requests",
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """A request that Django itself refuses: a host that is not ours, a broken path."""
    return plain_answer(Problem("bad_request"), request)


def not_found(request: HttpRequest) -> HttpResponse:
    """An address of the interface that there is not."""
    return plain_answer(Problem("not_found"), request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Something failed: the database away is said so, and when to come again; all else is our fault."""
    problem = problem_of(sys.exc_info()[1])
    if problem is None or problem.status < 500:
        problem = problem if problem is not None and problem.status == 409 else Problem("failed")
    return plain_answer(problem, request)
