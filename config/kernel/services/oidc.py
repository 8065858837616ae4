"""Single sign-on: which of our people does a signed ID token speak of? Never makes or promotes anybody."""

from __future__ import annotations

from typing import Any

import jwt
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from requests.exceptions import RequestException

from config.kernel.models import User

LEEWAY_SECONDS = 30
REQUIRED = ("iss", "aud", "exp", "iat", "sub", "nonce")


class OidcBackend(OIDCAuthenticationBackend):  # type: ignore[misc]
    """The code flow with PKCE; of the provider's answer only the ID token is believed, once checked."""

    def _verify_jws(self, payload: str, key: Any) -> dict[str, Any]:
        """The claims, if signature, issuer, audience, times and required claims are right.

        Raises SuspiciousOperation. The library leaves issuer and audience unchecked.
        """
        try:
            claims: dict[str, Any] = jwt.decode(
                payload,
                key,
                algorithms=[self.OIDC_RP_SIGN_ALGO],
                audience=self.OIDC_RP_CLIENT_ID,
                issuer=settings.OIDC_ISSUER,
                leeway=LEEWAY_SECONDS,
                options={"require": list(REQUIRED), "strict_aud": False},
            )
        except (jwt.InvalidTokenError, TypeError, ValueError) as error:
            raise SuspiciousOperation(f"ID token: {type(error).__name__}") from error
        parties = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if len(parties) > 1 and claims.get("azp") != self.OIDC_RP_CLIENT_ID:
            raise SuspiciousOperation("ID token: not issued to us (azp)")
        return claims

    def get_or_create_user(
        self,
        access_token: str,  # noqa: ARG002 (the library's signature)
        id_token: str,  # noqa: ARG002
        payload: dict[str, Any],
    ) -> User | None:
        """The active member of staff of the configured claim; nobody is created, nothing changed."""
        username = payload.get(settings.OIDC_USERNAME_CLAIM)
        if not isinstance(username, str) or not username or "\0" in username:
            return None
        user = User.objects.filter(username=username, is_active=True, is_staff=True).first()
        if user is not None:
            user.provider_claims = payload  # type: ignore[attr-defined]
        return user


def sign_in(*, request: HttpRequest, nonce: str, code_verifier: str | None) -> User:
    """The person the provider's answer speaks of.

    Raises SuspiciousOperation with the reason, for the audit, if there is none or it is not to be believed.
    """
    try:
        user = OidcBackend().authenticate(request, nonce=nonce, code_verifier=code_verifier)
    except (RequestException, jwt.InvalidTokenError, KeyError, ValueError, TypeError) as error:
        raise SuspiciousOperation(f"provider: {type(error).__name__}") from error
    if not isinstance(user, User):
        raise SuspiciousOperation("nobody active here has the name in the token")
    return user


def has_proved_more(claims: dict[str, Any]) -> bool:
    """Did the provider ask for a second factor, in words this installation trusts?

    Only what `OIDC_TRUSTED_AMR` and `OIDC_TRUSTED_ACR` name counts; both are empty unless set.
    """
    methods = claims.get("amr")
    given = methods if isinstance(methods, list) else []
    named = {one for one in given if isinstance(one, str)}
    return bool(
        named & set(settings.OIDC_TRUSTED_AMR)
        or str(claims.get("acr", "")) in settings.OIDC_TRUSTED_ACR
    )
