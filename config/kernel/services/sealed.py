"""Texts that have to be read again but not by whoever reads the database: keys of signatures."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils.encoding import force_bytes

_SALT = b"config.kernel.services.sealed"


def seal(text: str) -> str:
    """The text as only this installation can read it (its SECRET_KEY or a former one)."""
    return _box(settings.SECRET_KEY).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """The text again; ValueError if it was sealed with a key this installation never had."""
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return _box(key).decrypt(sealed.encode()).decode()
        except InvalidToken:
            continue
    message = "sealed with another SECRET_KEY"
    raise ValueError(message)


def _box(key: str | bytes) -> Fernet:
    digest = hashlib.scrypt(force_bytes(key), salt=_SALT, n=2, r=8, p=1, dklen=32)
    return Fernet(base64.urlsafe_b64encode(digest))
