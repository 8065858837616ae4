"""Handing files out: proved against their sha256, to those who see the row they belong to."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase

from loans.admin.base import own_language
from loans.values.errors import DomainError


def handed_out(
    request: HttpRequest, *, name: str, opened: Callable[[], BinaryIO], home: str
) -> HttpResponseBase:
    """The file as a download; one that is lost or changed leads back, with the reason."""
    try:
        source = opened()
    except DomainError as refusal:
        messages.error(request, own_language(str(refusal)))
        return HttpResponseRedirect(home)
    return FileResponse(source, as_attachment=True, filename=name)
