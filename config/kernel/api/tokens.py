"""Access tokens: the client-credentials grant of OAuth2 and no other (RFC 6749 §4.4)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes
from oauth2_provider.views import TokenView

from config.kernel.api.throttling import seconds_to_wait
from config.kernel.models import ApiClient
from config.kernel.services import clients, signin

FORM = "application/x-www-form-urlencoded"
GRANT = "client_credentials"
MAX_BYTES = 8 << 10


class ClientScopes(BaseScopes):  # type: ignore[misc]  # untyped
    """What a client may ask for is written in its registration."""

    def get_all_scopes(self) -> dict[str, str]:
        """Every scope with its meaning."""
        return dict(settings.API_SCOPES)

    def get_available_scopes(self, application: Any = None, *_: Any, **__: Any) -> list[str]:
        """Those of this client."""
        found = ApiClient.objects.filter(application=application, is_active=True)
        return list(found.values_list("scopes", flat=True).first() or [])

    def get_default_scopes(self, application: Any = None, *_: Any, **__: Any) -> list[str]:
        """All of them, for a client that names none."""
        return self.get_available_scopes(application)


class Validator(OAuth2Validator):  # type: ignore[misc]  # untyped
    """Secrets are ours: several may hold at a time, kept as digests."""

    def _check_secret(self, provided_secret: str, stored_secret: str) -> bool:
        """`stored_secret` is the client's id (see `services.clients.register`)."""
        at = timezone.localtime()
        return clients.is_secret_of(client_id=stored_secret, secret=provided_secret, at=at)


@csrf_exempt
@require_POST
@sensitive_post_parameters("client_secret")
def token(request: HttpRequest) -> HttpResponse:
    """Give a token, or say why not in the words of RFC 6749 §5.2."""
    address = signin.client_address(request) or "local"
    wait = seconds_to_wait(name=f"token:{address}", limit=settings.API_STRANGERS_PER_MINUTE)
    if wait is not None:
        return _refused("temporarily_unavailable", 429, {"Retry-After": str(wait)})
    size = request.META.get("CONTENT_LENGTH") or "0"
    if request.content_type != FORM or not size.isdecimal() or int(size) > MAX_BYTES:
        return _refused("invalid_request", 400)
    if not _is_plain(request):
        return _refused("invalid_request", 400)
    if request.POST.get("grant_type", GRANT) != GRANT:
        return _refused("unsupported_grant_type", 400)
    answer: HttpResponse = TokenView.as_view()(request)
    return answer


def _is_plain(request: HttpRequest) -> bool:
    """Each parameter once (RFC 6749 §3.2), of characters that a name or secret can have."""
    said = [*request.POST.lists(), *request.GET.lists()]
    if request.GET or any(len(values) > 1 for _, values in said):
        return False
    texts = [text for name, values in said for text in (name, *values)]
    texts.append(request.headers.get("Authorization", ""))
    return all(text.isascii() and text.isprintable() for text in texts)


def _refused(error: str, status: int, headers: dict[str, str] | None = None) -> HttpResponse:
    return JsonResponse({"error": error}, status=status, headers=headers)
