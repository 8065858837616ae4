"""Handing files out: proved against their sha256, to those who see the row they belong to."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase

from loans.admin.base import own_language
from loans.values.errors import DomainError

# A file is saved, never shown: whatever is in it runs nothing on this site and stays in no cache.
SAVED_ONLY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-store",
}


def handed_out(
    request: HttpRequest,
    *,
    name: str,
    opened: Callable[[], BinaryIO],
    home: str,
    content_type: str | None = None,
) -> HttpResponseBase:
    """The file as a download; one that is lost or changed leads back, with the reason."""
    try:
        source = opened()
    except DomainError as refusal:
        messages.error(request, own_language(str(refusal)))
        return HttpResponseRedirect(home)
    return FileResponse(
        source, as_attachment=True, filename=name, content_type=content_type, headers=SAVED_ONLY
    )
