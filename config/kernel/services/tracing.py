"""Which request is being answered? Told in answers, in every line of the log, and to services called."""

from __future__ import annotations

import logging
import re
import uuid
from contextvars import ContextVar

_CURRENT: ContextVar[str] = ContextVar("request_id", default="-")
_GIVEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")


def begin(*, given: str) -> str:
    """Name the request: as its sender did, if that is a plain name, else anew."""
    name = given if _GIVEN.fullmatch(given) else str(uuid.uuid4())
    _CURRENT.set(name)
    return name


def request_id() -> str:
    """The request under way; `-` outside of one."""
    return _CURRENT.get()


class RequestIdFilter(logging.Filter):
    """Gives every line of the log the request it is about."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add `request_id`."""
        record.request_id = request_id()
        return True
