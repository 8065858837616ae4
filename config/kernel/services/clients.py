"""Letting machines in: clients of the interface, their secrets and keys of signatures."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from oauth2_provider.models import Application

from config.kernel.models import (
    ApiClient,
    ClientSecret,
    FinanceDepartment,
    Institution,
    SigningKey,
)
from config.kernel.services import sealed

OVERLAP = timedelta(days=7)  # two secrets hold, while the client's side changes over
HMAC_MIN_BYTES = 32
_DIGEST = re.compile(r"(?:[0-9a-f]{64})?")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")


class Refused(ValueError):
    """What was asked of a registration cannot be; the message says why, in both languages."""


@dataclass(frozen=True)
class Speaker:
    """Whom a client speaks for: an institution or a finance department, one of them."""

    institution: Institution | None = None
    department: FinanceDepartment | None = None


@dataclass(frozen=True)
class Terms:
    """What a client may do, how much of it, and what it has to prove beside its secret."""

    scopes: tuple[str, ...]
    requires_signature: bool = False
    requests_per_minute: int = 600
    certificate_sha256: str = ""  # lower-case hexadecimal; empty: none

    def require_known(self) -> None:
        """Refuse scopes that there are not, no limit, and what is no certificate's digest."""
        unknown = ", ".join(sorted(set(self.scopes) - set(settings.API_SCOPES)))
        if unknown or not self.scopes:
            raise Refused(f"权限须从列表中选择：{unknown} / scopes must be of the list: {unknown}")
        if self.requests_per_minute < 1:
            raise Refused("每分钟请求上限须为正数 / the limit per minute must be positive")
        if not _DIGEST.fullmatch(self.certificate_sha256):
            raise Refused(
                "证书指纹须为 64 位小写十六进制 / the digest is 64 lower-case hexadecimals"
            )

    def columns(self) -> dict[str, Any]:
        """As the table has them."""
        return {
            "scopes": sorted(set(self.scopes)),
            "requires_signature": self.requires_signature,
            "requests_per_minute": self.requests_per_minute,
            "certificate_sha256": self.certificate_sha256,
        }


@transaction.atomic
def register(
    *, name: str, speaks_for: Speaker, terms: Terms, actor: str, at: datetime
) -> tuple[ApiClient, str]:
    """Let a machine in; returns it and its first secret, which nobody can read again.

    Raises Refused for terms that cannot be, and a name that is taken or is none.
    """
    terms.require_known()
    if not _NAME.fullmatch(name):
        raise Refused(
            "名称须为小写字母、数字和连字符 / a name is of lower-case letters, digits, hyphens"
        )
    if ApiClient.objects.filter(name=name).exists():
        raise Refused(f"名称 {name} 已使用 / the name {name} is taken")
    application = Application.objects.create(
        name=name,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        hash_client_secret=False,
    )
    # Not a secret but whose secrets to ask for (see `is_secret_of`).
    Application.objects.filter(pk=application.pk).update(client_secret=application.client_id)
    client = ApiClient.objects.create(
        application=application,
        name=name,
        bound_to=speaks_for.institution,
        department=speaks_for.department,
        **terms.columns(),
        made_by=actor,
        made_at=at,
    )
    return client, _new_secret(client, actor=actor, at=at)


@transaction.atomic
def rotate_secret(*, client_id: int, actor: str, at: datetime, overlap: timedelta = OVERLAP) -> str:
    """Give the client a new secret; those it has end after `overlap`, or sooner as they were to."""
    client = ApiClient.objects.select_for_update().get(pk=client_id)
    ends_at = at + overlap
    holding = client.secrets.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=ends_at))
    holding.update(ends_at=ends_at)
    return _new_secret(client, actor=actor, at=at)


def _new_secret(client: ApiClient, *, actor: str, at: datetime) -> str:
    secret = secrets.token_urlsafe(32)
    ClientSecret.objects.create(client=client, digest=_digest(secret), made_by=actor, made_at=at)
    return secret


def is_secret_of(*, client_id: str, secret: str, at: datetime) -> bool:
    """Whether this is a secret, not ended, of the active client with that OAuth2 id."""
    digests = ClientSecret.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=at),
        client__application__client_id=client_id,
        client__is_active=True,
    ).values_list("digest", flat=True)
    given = _digest(secret)
    return any(secrets.compare_digest(given, known) for known in digests)


def _digest(secret: str) -> str:
    """A secret is 256 bits of chance: nothing slower than a plain digest is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def add_signing_key(
    *,
    client_id: int,
    key_id: str,
    algorithm: SigningKey.Algorithm,
    material: str,
    actor: str,
    at: datetime,
) -> SigningKey:
    """Let the client sign by this key: an HMAC secret, or an Ed25519 public key as PEM.

    Raises Refused for a key that is none, too short, or whose number is taken.
    """
    if SigningKey.objects.filter(key_id=key_id).exists():
        raise Refused(f"密钥编号 {key_id} 已使用 / the key id {key_id} is taken")
    if algorithm == SigningKey.Algorithm.ED25519:
        _require_ed25519(material)
    elif len(material.encode()) < HMAC_MIN_BYTES:
        raise Refused("HMAC 密钥至少 32 字节 / an HMAC secret has at least 32 bytes")
    return SigningKey.objects.create(
        client_id=client_id,
        key_id=key_id,
        algorithm=algorithm,
        material=sealed.seal(material),
        made_by=actor,
        made_at=at,
    )


def _require_ed25519(pem: str) -> None:
    told = "须为 Ed25519 公钥（PEM）/ must be an Ed25519 public key in PEM"
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refused(told) from error
    if not isinstance(key, Ed25519PublicKey):
        raise Refused(told)


def end_signing_key(*, key_id: str, ends_at: datetime) -> None:
    """Let the key end at that moment; one that ended sooner stays so."""
    keys = SigningKey.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=ends_at), key_id=key_id
    )
    keys.update(ends_at=ends_at)


def close(*, client_id: int) -> None:
    """Let the machine in no more; its tokens end with it."""
    ApiClient.objects.filter(pk=client_id).update(is_active=False)


def reopen(*, client_id: int) -> None:
    """Let it in again, by the secrets it has."""
    ApiClient.objects.filter(pk=client_id).update(is_active=True)


def change(*, client_id: int, terms: Terms) -> None:
    """Change what it may do; tokens that are out lose at once what it loses. Raises Refused."""
    terms.require_known()
    ApiClient.objects.filter(pk=client_id).update(**terms.columns())
