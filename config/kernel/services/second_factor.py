"""The second factor: an authenticator's six digits (TOTP), or one of ten recovery codes, each good once."""

from __future__ import annotations

import secrets
import unicodedata
from base64 import b32encode
from datetime import datetime

from django.db import transaction
from django.utils.crypto import salted_hmac
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.kernel.models import SignIn, User
from config.kernel.services import sessions, signin

CODES = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike
SESSION_KEY = DEVICE_ID_SESSION_KEY
Event = SignIn.Event


def device_of(*, user: User) -> TOTPDevice | None:
    """The person's authenticator, if one is enrolled."""
    found: TOTPDevice | None = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    return found


@transaction.atomic
def start_enrolment(*, user: User, waiting_id: int | None) -> TOTPDevice:
    """An authenticator to be confirmed: the session's own (`waiting_id`), else one with a new key.

    Nobody is shown a key that another session of the person has seen: whoever read it there would own
    the second factor afterwards. Of several sessions the last that asked is in the middle of it.
    """
    User.objects.select_for_update().get(pk=user.pk)
    waiting = TOTPDevice.objects.filter(user=user, confirmed=False)
    own: TOTPDevice | None = waiting.filter(pk=waiting_id).first()
    if own is None:
        waiting.delete()
        own = TOTPDevice.objects.create(user=user, confirmed=False, name="totp")
    return own


def manual_key(device: TOTPDevice) -> str:
    """The secret as people type it into an authenticator, in groups of four."""
    text = b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


@transaction.atomic
def confirm(
    *, user: User, waiting_id: int | None, code: str, at: datetime, caller: signin.Caller
) -> list[str] | None:
    """Put the session's waiting authenticator in the place of any other, if the code is its own.

    Returns the recovery codes, readable this once; None if the code was wrong (or came too fast).
    Every other session of the person ends.
    """
    User.objects.select_for_update().get(pk=user.pk)
    known = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False)
    waiting = known.filter(pk=waiting_id).first()
    if waiting is None or not _is_totp(code) or not waiting.verify_token(_plain(code)):
        return None
    TOTPDevice.objects.filter(user=user, confirmed=True).delete()
    waiting.confirmed = True
    waiting.save(update_fields=["confirmed"])
    sessions.end_all(user=user)
    signin.record(event=Event.FACTOR_ENROLLED, at=at, caller=caller, user=user)
    return make_recovery_codes(user=user, at=at, caller=caller)


@transaction.atomic
def make_recovery_codes(*, user: User, at: datetime, caller: signin.Caller) -> list[str]:
    """Ten new recovery codes in the place of the old ones; only their digests are kept."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery", confirmed=True)
    codes = [_new_code() for _ in range(CODES)]
    StaticToken.objects.bulk_create(
        StaticToken(device=device, token=_digest(user, code)) for code in codes
    )
    signin.record(event=Event.RECOVERY_CODES_MADE, at=at, caller=caller, user=user)
    return codes


def codes_left(*, user: User) -> int:
    """How many recovery codes are still good?"""
    return int(StaticToken.objects.filter(device__user=user).count())


@transaction.atomic
def verify(*, user: User, code: str) -> Device | None:
    """Which of the person's factors takes this code? None: wrong, used before, or too soon again."""
    User.objects.select_for_update().get(pk=user.pk)
    kind = TOTPDevice if _is_totp(code) else StaticDevice
    device: Device | None = (
        kind.objects.select_for_update().filter(user=user, confirmed=True).first()
    )
    if device is None:
        return None
    token = _plain(code) if kind is TOTPDevice else _digest(user, code)
    return device if device.verify_token(token) else None


def seconds_to_wait(*, user: User, at: datetime) -> int:
    """How long after wrong codes until the next is looked at; whole seconds, rounded up."""
    waits = [0]
    for kind in (TOTPDevice, StaticDevice):
        for device in kind.objects.filter(user=user):
            allowed, why = device.verify_is_allowed()
            if not allowed:
                left = why["locked_until"] - at
                waits.append(left.days * 86_400 + left.seconds + 1)
    return max(waits)


@transaction.atomic
def reset(*, user: User, actor: str, why: str, at: datetime, caller: signin.Caller) -> None:
    """Forget the person's factors and end every session: the next sign-in enrols anew."""
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    sessions.end_all(user=user)
    signin.record(
        event=Event.FACTOR_RESET, at=at, caller=caller, user=user, actor=actor, detail=why
    )


def forgive(*, user: User) -> None:
    """Let codes be tried again at once."""
    for kind in (TOTPDevice, StaticDevice):
        kind.objects.filter(user=user).update(
            throttling_failure_count=0, throttling_failure_timestamp=None
        )


def _plain(code: str) -> str:
    """Full-width digits, spaces and hyphens as people type them."""
    return "".join(unicodedata.normalize("NFKC", code).split()).replace("-", "").lower()


def _is_totp(code: str) -> bool:
    text = _plain(code)
    return len(text) == 6 and text.isascii() and text.isdigit()


def _new_code() -> str:
    text = "".join(secrets.choice(LETTERS) for _ in range(10))
    return f"{text[:5]}-{text[5:]}"


def _digest(user: User, code: str) -> str:
    salt = f"config.kernel.services.second_factor:{user.pk}"
    return salted_hmac(salt, _plain(code), algorithm="sha256").hexdigest()[:16]
