"""One transaction per request, in the scope of the person who asks; and the language they chose."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from config.kernel.models import User
from config.kernel.services import scope

GetResponse = Callable[[HttpRequest], HttpResponse]

FAILED = "_kernel_request_failed"


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
        if request.content_type == "multipart/form-data":
            request.FILES  # noqa: B018 (a slow upload is read before the database starts to wait for it)
        with transaction.atomic():
            _set_scope(request)
            response = self.get_response(request)
            if response.status_code >= 500 or hasattr(request, FAILED):
                transaction.set_rollback(True)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Remember that something went wrong, whatever answer becomes of it."""
        setattr(request, FAILED, exception)


def _set_scope(request: HttpRequest) -> None:
    """Nobody's rows, unless the person is known, active and has a scope."""
    user = request.user
    seen = user.scope if isinstance(user, User) and user.is_active else None
    if seen is None:
        scope.clear_scope()
    else:
        scope.set_scope(seen.lo, seen.hi)


class LanguageMiddleware:
    """Chinese, until the person chooses another language; what the browser prefers does not matter."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request in the language its cookie names."""
        asked = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        known = {code for code, _ in settings.LANGUAGES}
        language = asked if asked in known else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response
