"""A client of the interface as tests use it: registered, with a token, over Django's own client."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from config.kernel.models import AnsweringInstitution, ApiClient, FinanceDepartment, Institution
from config.kernel.services import clients
from config.kernel.services.clients import Speaker, Terms
from config.settings.api import API_SCOPES

ROOT = "/api/v1/"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def department(code: str, *places: Institution, schemes: tuple[str, ...]) -> FinanceDepartment:
    """A finance department to which these institutions and schemes answer."""
    found = FinanceDepartment.objects.create(
        code=code,
        name=f"财政局 {code}",
        level="municipal",
        region_code="320100",
        scheme_codes=[*schemes],
    )
    for place in places:
        AnsweringInstitution.objects.create(department=found, place=place)
    return found


def registered(
    name: str, speaker: Institution | FinanceDepartment, **options: Any
) -> tuple[ApiClient, str]:
    """A client with every scope, and its secret."""
    is_bank = isinstance(speaker, Institution)
    speaks = Speaker(institution=speaker) if is_bank else Speaker(department=speaker)
    terms = Terms(**{"scopes": tuple(API_SCOPES), "requests_per_minute": 100_000, **options})
    return clients.register(
        name=name, speaks_for=speaks, terms=terms, actor="admin", at=timezone.localtime()
    )


def token_of(client: ApiClient, secret: str, **form: str) -> HttpResponse:
    """Ask for a token."""
    told = {
        "grant_type": "client_credentials",
        "client_id": client.application.client_id,
        "client_secret": secret,
        **form,
    }
    return Client().post(f"{ROOT}oauth/token/", urlencode(told), content_type=FORM)


class Machine:
    """Posts and gets as one client, JSON both ways."""

    def __init__(self, name: str, speaker: Institution | FinanceDepartment, **options: Any) -> None:
        self.client, self.secret = registered(name, speaker, **options)
        answer = token_of(self.client, self.secret)
        assert answer.status_code == 200, answer.content
        self.token = answer.json()["access_token"]
        self.http = Client(raise_request_exception=False)

    def headers(self, key: str | None = None, **more: str) -> dict[str, str]:
        """The token, and a key if there is one."""
        found = {"Authorization": f"Bearer {self.token}", **more}
        return found if key is None else found | {"Idempotency-Key": key}

    def post(self, path: str, body: Any, *, key: str | None = None, **more: str) -> HttpResponse:
        """Post a value, or bytes as they are."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return self.http.post(
            f"{ROOT}{path}", raw, content_type=JSON, headers=self.headers(key, **more)
        )

    def upload(
        self, path: str, raw: bytes, media: str, *, key: str | None = None, **more: str
    ) -> HttpResponse:
        """Post a file as it is."""
        return self.http.post(
            f"{ROOT}{path}", raw, content_type=media, headers=self.headers(key, **more)
        )

    def get(self, path: str, query: str = "", **more: str) -> HttpResponse:
        """Get an address."""
        return self.http.get(f"{ROOT}{path}{query}", headers=self.headers(**more))
