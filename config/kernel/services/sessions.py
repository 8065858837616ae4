"""A session: when it began, how long it may rest and last, and what its person still has to do."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.db.models import F
from django_otp import DEVICE_ID_SESSION_KEY

from config.kernel.models import User
from config.kernel.services import passwords

STARTED, SEEN = "kernel_started_at", "kernel_seen_at"
CODE_NEEDED, TRUSTED = "kernel_code_needed", "kernel_factor_at_provider"
PASSWORD_DUE, LAST = "kernel_password_due", "kernel_last_sign_in"
SEEN_EVERY = timedelta(seconds=60)  # a session is written at most so often only for being seen

Session = Any


class Standing(Enum):
    """What a signed-in person may do with this session."""

    IN = "in"
    EXPIRED = "expired"
    CODE = "code"
    ENROL = "enrol"
    PASSWORD = "password"  # noqa: S105 (a state)


def standing(*, session: Session, user: User, at: datetime) -> Standing:
    """May this session go on, or what has to be done first?

    Sessions nobody began through the door (STARTED missing) are as fresh as can be.
    """
    if _is_over(session, at):
        return Standing.EXPIRED
    if DEVICE_ID_SESSION_KEY not in session and not session.get(TRUSTED):
        if session.get(CODE_NEEDED):
            return Standing.CODE
        if user.needs_second_factor:
            return Standing.ENROL
    due = session.get(PASSWORD_DUE)  # which password it was: none is due once it is another
    if due and due == passwords.digest(user=user) and not is_sso(session=session):
        return Standing.PASSWORD
    return Standing.IN


def _is_over(session: Session, at: datetime) -> bool:
    started, seen = session.get(STARTED), session.get(SEEN)
    if started is None or seen is None:
        return False
    now = int(at.timestamp())
    return bool(
        now - started >= settings.SESSION_COOKIE_AGE or now - seen >= settings.SESSION_IDLE_SECONDS
    )


def touch(*, session: Session, at: datetime) -> None:
    """Remember that the person is still there."""
    now = int(at.timestamp())
    if now - session.get(SEEN, 0) >= SEEN_EVERY.seconds:
        session[SEEN] = now


def begin(
    *, session: Session, at: datetime, has_factor: bool, password_due: str, last: Any
) -> None:
    """Note when the session began and what its person still has to do."""
    now = int(at.timestamp())
    session.update(
        {STARTED: now, SEEN: now, CODE_NEEDED: has_factor, PASSWORD_DUE: password_due, LAST: last}
    )


def is_begun(*, session: Session) -> bool:
    """Has the session been begun?"""
    return STARTED in session


def is_sso(*, session: Session) -> bool:
    """Did the person come in by single sign-on?"""
    return str(session.get(BACKEND_SESSION_KEY, "")).endswith("OidcBackend")


def end_all(*, user: User) -> None:
    """End every session of this person; whoever goes on must store the new hash in their own."""
    User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
    user.refresh_from_db(fields=["session_epoch"])
