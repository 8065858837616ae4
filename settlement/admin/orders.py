"""What steps that order work by a worker share: the bell, the day, files of registers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from loans.admin.base import own_language
from loans.values.errors import DomainError
from settlement.tasks import work_order

FORMATS = ("csv", "xlsx")


def ring(run_id: int) -> None:
    """Tell a worker once the order is stored; a message that is lost is made up by the sweep."""
    transaction.on_commit(lambda: work_order.delay(run_id=run_id), robust=True)


def job_address(run_id: int) -> str:
    """The page of the job."""
    return reverse("admin:settlement_moneyjob_change", args=[run_id])


def handed_out(
    request: HttpRequest, *, name: str, write: Callable[[Path], int], home: str
) -> HttpResponseBase:
    """A file written now, as a download; what a rule refuses leads back, with the reason."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"out{Path(name).suffix}"
        try:
            write(path)
        except DomainError as refusal:
            messages.error(request, own_language(str(refusal)))
            return HttpResponseRedirect(home)
        return FileResponse(path.open("rb"), as_attachment=True, filename=name)
