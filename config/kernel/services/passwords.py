"""Passwords: none of the last few comes back, and none stays for ever."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from config.kernel.models import FormerPassword, User


class ReuseValidator:
    """Refuses a password the person had among the last `last`; remembers each new one (its hash)."""

    def __init__(self, last: int = 5) -> None:
        self.last = last

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError if the person had this password lately."""
        if user is None or user.pk is None:
            return
        kept = FormerPassword.objects.filter(user_id=user.pk).order_by("-id")[: self.last]
        hashes = {user.password, *(one.password for one in kept)}
        if any(check_password(password, one) for one in hashes):
            raise ValidationError(self.get_help_text(), code="password_used_before")

    def password_changed(self, password: str, user: User | None = None) -> None:  # noqa: ARG002 (Django's)
        """Django says so after it stored a new password."""
        if user is not None and user.has_usable_password():
            FormerPassword.objects.create(user=user, password=user.password)

    def get_help_text(self) -> str:
        """What the person is told before and after."""
        return _("不能使用最近 %(count)d 次用过的密码。") % {"count": self.last}


def is_due(*, user: User, at: datetime) -> bool:
    """Is it time for another password: set by somebody else, or older than `PASSWORD_DAYS`?"""
    if not user.has_usable_password():
        return False
    latest = FormerPassword.objects.filter(user=user).order_by("-id").first()
    since = user.date_joined if latest is None else latest.set_at
    return user.must_change_password or at - since > timedelta(days=settings.PASSWORD_DAYS)


def digest(*, user: User) -> str:
    """Which password the person has, told from any other without showing it."""
    salt = "config.kernel.services.passwords"
    return salted_hmac(salt, user.password, algorithm="sha256").hexdigest()[:16]


def was_changed(*, user: User, by_another: bool) -> None:
    """Note who set the password: another's choice has to be changed at the next sign-in."""
    User.objects.filter(pk=user.pk).update(must_change_password=by_another)
    user.must_change_password = by_another
