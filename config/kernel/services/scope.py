"""Whose rows does the database show? Row-level security reads two transaction-local settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from config.kernel.models import Institution, Scope, User
from config.kernel.services import bulk, statements


def set_scope(lo: int, hi: int) -> None:
    """Show the rows of institutions lo … hi, both included, until the transaction ends."""
    _set(str(lo), str(hi))


def clear_scope() -> None:
    """Show no institution's rows until the transaction ends."""
    _set("", "")


def of_client(client_id: int, *, seen: Scope | None) -> dict[str, str]:
    """The settings that show what this client of the interface was answered, and these institutions' rows.

    `seen` is None for nobody's rows.
    """
    lo, hi = ("", "") if seen is None else map(str, seen)
    return {"app.client": str(client_id), "app.lo": lo, "app.hi": hi}


@contextmanager
def scoped(subject: User | Institution) -> Iterator[None]:
    """A transaction that sees what this person, or this institution, may see; nothing without a scope."""
    scope = subject.scope
    with transaction.atomic():
        before = bulk.rows(
            "SELECT coalesce(current_setting('app.lo', true), ''),"
            " coalesce(current_setting('app.hi', true), '')"
        )[0]
        if scope is None:
            clear_scope()
        else:
            set_scope(*scope)
        yield
        _set(*before)


def _set(lo: str, hi: str) -> None:
    statements.set_local({"app.lo": lo, "app.hi": hi})
