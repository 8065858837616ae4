"""Files that go with imports, handed to those who see the row they belong to, proved on the way."""

from __future__ import annotations

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.translation import gettext

from config.kernel.services import store

# A file is saved, never shown: whatever is in it runs nothing on this site and stays in no cache.
SAVED_ONLY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-store",
}


def handed_out(request: HttpRequest, *, sha256: str, name: str, home: str) -> HttpResponseBase:
    """The stored file as a download; one that is lost or changed leads back, with the reason."""
    try:
        source = store.opened(sha256)
    except store.MissingFileError:
        messages.error(request, gettext("文件库中缺少该文件，请从备份恢复"))
    except store.TamperedFileError:
        messages.error(request, gettext("文件与登记的摘要不符，已被改动，请从备份恢复"))
    else:
        return FileResponse(source, as_attachment=True, filename=name, headers=SAVED_ONLY)
    return HttpResponseRedirect(home)
