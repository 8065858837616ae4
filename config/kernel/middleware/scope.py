"""One transaction per request, in the scope of the person who asks."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context

from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from config.kernel.middleware import door
from config.kernel.models import User
from config.kernel.services import provenance, scope, signin

GetResponse = Callable[[HttpRequest], HttpResponse]

FAILED = "_kernel_request_failed"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
URL_MAX = 300
INTERFACE = ("/api/", "/health/", "/metrics")
STRANGERS_MAX_BYTES = 64 << 10  # a name, a password and a code are far less


class ScopeMiddleware:
    """Set whose rows the database shows, in the transaction of everything the request does.

    Pages are rendered after their view's own transaction ends, so the scope is set out here, around
    rendering too. ATOMIC_REQUESTS undoes what a failed view wrote; this undoes what a failed page did.
    A streamed body would be read outside the transaction and see nothing: answers here are whole.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request within one transaction and scope."""
        if request.path_info.startswith(INTERFACE):  # has no sessions: its tokens set the scope
            return self.get_response(request)
        if _is_a_strangers_load(request):
            told = "请先登录再上传 / sign in before you send this much\n"
            return HttpResponse(told, status=413, content_type="text/plain; charset=utf-8")
        if request.content_type == "multipart/form-data":
            request.FILES  # noqa: B018 (a slow upload is read before the database starts to wait for it)
        with transaction.atomic():
            is_in, response = door.enter(request)
            before = door.person(request)
            _set_scope(before if is_in else None)
            if request.method not in READING:
                _set_provenance(request, before)
            if response is None:
                # In a context of its own: what is remembered for one request ends with it.
                response = copy_context().run(self.get_response, request)
            if response.status_code >= 500 or hasattr(request, FAILED):
                transaction.set_rollback(True)
            else:
                door.leave(request, before)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Remember that something went wrong, whatever answer becomes of it."""
        setattr(request, FAILED, exception)


def _is_a_strangers_load(request: HttpRequest) -> bool:
    """Whether nobody who is signed in sends more than signing in takes: it would fill memory or disk."""
    size = request.META.get("CONTENT_LENGTH") or "0"
    is_large = not size.isdecimal() or int(size) > STRANGERS_MAX_BYTES
    return is_large and auth.SESSION_KEY not in request.session


def _set_scope(user: User | None) -> None:
    """Nobody's rows, unless the person is known, active, wholly in and has a scope."""
    seen = user.scope if user is not None and user.is_active else None
    if seen is None:
        scope.clear_scope()
    else:
        scope.set_scope(seen.lo, seen.hi)


def _set_provenance(request: HttpRequest, user: User | None) -> None:
    """Who changes what this request changes, from where and by which page."""
    provenance.for_transaction(
        user=user.username if user else "",
        address=signin.client_address(request),
        url=request.path[:URL_MAX],
    )
