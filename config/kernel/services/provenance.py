"""Who changes something, from where and by what: told to the triggers that keep history.

The triggers read two settings of the connection (django-pghistory's own), so that bulk SQL and database
functions are covered like everything else.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection

from config.kernel.services import bulk, statements

NAMES = ("pghistory.context_id", "pghistory.context_metadata")


def settings_of(**who: Any) -> dict[str, str]:
    """The two settings for one request or command: its own number, and who, where and what."""
    values = str(uuid.uuid4()), json.dumps(who, ensure_ascii=False)
    return dict(zip(NAMES, values, strict=True))


@contextmanager
def acting(**who: Any) -> Iterator[None]:
    """Until the block ends, changes are by this person: `acting(user="wang", command="import_data")`.

    Holds across transactions, so it suits commands and tasks; a request's is set with its scope.
    """
    before = _now()
    _set(settings_of(**who))
    try:
        yield
    finally:
        if not (connection.in_atomic_block and connection.needs_rollback):
            _set(before)


def for_transaction(**who: Any) -> None:
    """Until the transaction ends, changes are by this person."""
    statements.set_local(settings_of(**who))


def _now() -> dict[str, str]:
    row = bulk.rows(
        "SELECT coalesce(current_setting(%s, true), ''), coalesce(current_setting(%s, true), '')",
        list(NAMES),
    )[0]
    return dict(zip(NAMES, row, strict=True))


def _set(values: Mapping[str, str]) -> None:
    bulk.rows(
        "SELECT set_config(%s, %s, false), set_config(%s, %s, false)",
        [text for pair in values.items() for text in pair],
    )
