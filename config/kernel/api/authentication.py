"""Who asks: a bearer token of the client-credentials grant, and whose rows it may see."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from config.kernel.api.problems import Problem
from config.kernel.models import ApiClient, Scope
from config.kernel.services import signin, statements

TOKEN_MAX = 255
_COLUMNS = [field.attname for field in ApiClient._meta.concrete_fields]  # noqa: SLF001
_RANGES = """(SELECT i.id, i.last_id FROM (
        SELECT c.bound_to_id AS id UNION ALL
        SELECT x.place_id FROM kernel_answeringinstitution x WHERE x.department_id = c.department_id) p
    JOIN kernel_institution i USING (id))"""
_CALLER = f"""
SELECT t.expires, t.scope, a.client_id, d.scheme_codes,
    (SELECT array_agg(ARRAY[r.id, r.last_id]) FROM (SELECT * FROM {_RANGES} w LIMIT 2) r),
    {", ".join(f"c.{name}" for name in _COLUMNS)}
FROM oauth2_provider_accesstoken t
JOIN oauth2_provider_application a ON a.id = t.application_id
JOIN kernel_apiclient c ON c.application_id = a.id AND c.is_active
LEFT JOIN kernel_financedepartment d ON d.id = c.department_id
WHERE t.token_checksum = %s
"""
_ALL = f"""
SELECT r.id, r.last_id FROM kernel_apiclient c, LATERAL {_RANGES} r WHERE c.id = %s ORDER BY r.id
"""
_PARTS = f"""
SELECT DISTINCT ON (i.code) i.code, r.id, r.last_id
FROM kernel_apiclient c, LATERAL {_RANGES} r, kernel_institution i
WHERE c.id = %s AND i.code = ANY(%s::text[]) AND i.id BETWEEN r.id AND r.last_id
ORDER BY i.code, r.id
"""


@dataclass(frozen=True)
class Caller:
    """A client at work: what it may do, and whose rows it may see.

    `only` is its scope where that is one range of institutions; departments may have more.
    """

    client: ApiClient
    client_id: str  # its name in OAuth2
    granted: frozenset[str]
    only: Scope | None
    scheme_codes: frozenset[str] | None  # None: every scheme
    is_authenticated: bool = True  # what the framework asks of whoever is somebody

    @property
    def actor(self) -> str:
        """The name it acts under."""
        return self.client.actor

    @property
    def pk(self) -> int:
        """The framework's name for the client's number."""
        return int(self.client.pk)

    @cached_property
    def ranges(self) -> tuple[Scope, ...]:
        """All parts of its scope, lowest first."""
        if self.only is not None:
            return (self.only,)
        return tuple(map(Scope._make, statements.prepared(_ALL, [self.pk])))

    def parts(self, codes: Iterable[str]) -> dict[str, Scope]:
        """The part of its scope that holds each of these institutions; those it may not see are left out."""
        found = statements.prepared(_PARTS, [self.pk, [*codes]])
        return {code: Scope(lo, hi) for code, lo, hi in found}


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer …`."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        """Return the caller, or None without a bearer token; raises AuthenticationFailed."""
        scheme, _, given = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        try:
            text = given.decode("ascii")
        except UnicodeDecodeError as error:
            raise AuthenticationFailed from error
        caller = _caller(text) if 0 < len(text) <= TOKEN_MAX else None
        if caller is None:
            raise AuthenticationFailed
        fingerprint = caller.client.certificate_sha256
        if fingerprint and not _presents(request, fingerprint):
            raise Problem("certificate_required")
        return caller, None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 (the framework's signature)
        """What a 401 asks for."""
        return 'Bearer realm="api"'


def _presents(request: Request, fingerprint: str) -> bool:
    """Whether a trusted proxy says that the connection came with this certificate.

    From anywhere else the header is what anybody may write, and says nothing.
    """
    if not signin.is_from_trusted_proxy(request._request):  # noqa: SLF001
        return False
    told = request.headers.get(settings.CLIENT_CERTIFICATE_HEADER, "")
    return told.replace(":", "").lower() == fingerprint


def _caller(token: str) -> Caller | None:
    """Whose token it is, while it and its client hold."""
    found = statements.prepared(_CALLER, [hashlib.sha256(token.encode()).hexdigest()])
    if not found:
        return None
    ((expires, scope, client_id, scheme_codes, ranges, *values),) = found
    if expires <= timezone.localtime():
        return None
    client = ApiClient.from_db(DEFAULT_DB_ALIAS, _COLUMNS, values)
    return Caller(
        client=client,
        client_id=client_id,
        granted=frozenset(scope.split()) & frozenset(client.scopes),
        only=Scope(*ranges[0]) if ranges and len(ranges) == 1 else None,
        scheme_codes=None if client.department_id is None else frozenset(scheme_codes),
    )
