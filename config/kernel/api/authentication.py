"""Who asks: a bearer token of the client-credentials grant, and whose rows it may see."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone
from oauth2_provider.models import AccessToken
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from config.kernel.api.problems import Problem
from config.kernel.models import ApiClient, Institution, Scope
from config.kernel.services import scope as scopes
from config.kernel.services import signin

TOKEN_MAX = 255


@dataclass(frozen=True)
class Caller:
    """A client at work: what it may do, and whose rows it may see."""

    client: ApiClient
    client_id: str  # its name in OAuth2
    granted: frozenset[str]
    ranges: tuple[Scope, ...]
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

    def range_of(self, institution: Institution) -> Scope | None:
        """The part of its scope that holds this institution."""
        found = (one for one in self.ranges if one.lo <= institution.pk <= one.hi)
        return next(found, None)


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer …`; the rows of the client's scope are shown from here on."""

    def authenticate(self, request: Request) -> tuple[Caller, AccessToken] | None:
        """Return the caller, or None without a bearer token; raises AuthenticationFailed."""
        scheme, _, given = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        try:
            text = given.decode("ascii")
        except UnicodeDecodeError as error:
            raise AuthenticationFailed from error
        token = _token(text) if 0 < len(text) <= TOKEN_MAX else None
        client = None if token is None else _client(token)
        if token is None or client is None:
            raise AuthenticationFailed
        if client.certificate_sha256 and not _presents(request, client.certificate_sha256):
            raise Problem("certificate_required")
        caller = _caller(client, token)
        only = caller.ranges[0] if len(caller.ranges) == 1 else None
        if only is None:
            scopes.clear_scope()
        else:
            scopes.set_scope(*only)
        scopes.set_client(client.pk)
        return caller, token

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


def _token(text: str) -> Any:
    checksum = hashlib.sha256(text.encode()).hexdigest()
    found = (
        AccessToken.objects.select_related("application").filter(token_checksum=checksum).first()
    )
    return found if found is not None and found.expires > timezone.localtime() else None


def _client(token: Any) -> ApiClient | None:
    clients = ApiClient.objects.select_related("bound_to", "department")
    return clients.filter(application_id=token.application_id, is_active=True).first()


def _caller(client: ApiClient, token: Any) -> Caller:
    granted = frozenset(token.scope.split()) & frozenset(client.scopes)
    if client.department is not None:
        department = client.department
        codes = frozenset(department.scheme_codes)
        return Caller(client, token.application.client_id, granted, tuple(department.scopes), codes)
    assert client.bound_to is not None, "a client speaks for one or the other"
    return Caller(client, token.application.client_id, granted, (client.bound_to.scope,), None)
