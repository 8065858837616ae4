"""Who asks, by which way, how often: and what is said to whoever may not."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken

from config.kernel.models import ApiClient, ClientSecret
from config.kernel.services import clients
from tests.api.machine import FORM, Machine, token_of
from tests.api.test_strict_json import refused
from tests.integration import rows
from tests.integration.rows import NANJING

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/repayments/"


@pytest.fixture
def bank():
    return rows.institutions()[NANJING]


@pytest.fixture
def core(bank):
    return Machine("core", bank)


def test_a_token_is_kept_as_a_digest_and_lasts_ten_minutes(core, as_role):
    with as_role("app"):
        answer = token_of(core.client, core.secret)
    body = answer.json()
    token = AccessToken.objects.order_by("-pk").first()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 600)
    assert token.token != body["access_token"]
    assert len(body["access_token"]) >= 30


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        (
            {"grant_type": "password", "username": "a", "password": "b"},
            400,
            "unsupported_grant_type",
        ),
        ({"grant_type": "authorization_code", "code": "x"}, 400, "unsupported_grant_type"),
        ({"scope": "everything"}, 400, "invalid_scope"),
        ({"client_id": "\x00"}, 400, "invalid_request"),
        ({"client_id": "客户"}, 400, "invalid_request"),
    ],
)
def test_no_token_without_a_reason(core, as_role, form, status, error):
    before = AccessToken.objects.count()
    with as_role("app"):
        answer = token_of(core.client, core.secret, **form)
    assert answer.status_code == status, answer.content
    assert answer.json()["error"] == error
    assert AccessToken.objects.count() == before


def test_the_token_endpoint_takes_one_form_and_nothing_twice(core):
    for body, media in (
        ("{}", "application/json"),
        ("grant_type=a&grant_type=b", FORM),
        ("a" * 9000, FORM),
    ):
        answer = Client().post("/api/v1/oauth/token/", body, content_type=media)
        assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})
    assert Client().get("/api/v1/oauth/token/").status_code == 405


def test_a_client_asks_for_less_than_it_may(core, as_role):
    with as_role("app"):
        answer = token_of(core.client, core.secret, scope="notes:write")
        core.token = answer.json()["access_token"]
        refused(core.post("repayments/", {}), 403, "not_permitted")
        refused(core.post("notes/", {}), 400, "invalid")


def test_what_a_client_loses_its_tokens_lose_at_once(core, as_role):
    terms = clients.Terms(scopes=("notes:write",))
    clients.change(client_id=core.client.pk, terms=terms)
    with as_role("app"):
        refused(core.post("repayments/", {}), 403, "not_permitted")
        refused(core.post("notes/", {}), 400, "invalid")
    clients.close(client_id=core.client.pk)
    with as_role("app"):
        answer = core.post("notes/", {})
        assert token_of(core.client, core.secret).status_code == 401
    refused(answer, 401, "token_invalid")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_token_ends(core, as_role):
    AccessToken.objects.update(expires=timezone.localtime() - timedelta(seconds=1))
    with as_role("app"):
        refused(core.post("notes/", {}), 401, "token_invalid")


@pytest.mark.parametrize(
    "given", ["Bearer", "Bearer ", "Bearer nobody", "Bearer é", "Bearer " + "x" * 300]
)
def test_strangers_are_told_to_prove_who_they_are(core, as_role, given):
    with as_role("app"):
        answer = core.http.post(
            ADDRESS, "{}", content_type="application/json", headers={"Authorization": given}
        )
    refused(answer, 401, "token_invalid")


def test_no_token_is_asked_for_one(core):
    for headers in ({}, {"Authorization": "Basic YTpi"}):
        answer = core.http.post(ADDRESS, "{}", content_type="application/json", headers=headers)
        refused(answer, 401, "no_token")


def test_two_secrets_hold_while_one_is_replaced(core, as_role):
    at = timezone.localtime()
    second = clients.rotate_secret(client_id=core.client.pk, actor="admin", at=at)
    with as_role("app"):
        assert token_of(core.client, core.secret).status_code == 200
        assert token_of(core.client, second).status_code == 200
    ClientSecret.objects.filter(ends_at__isnull=False).update(ends_at=at - timedelta(seconds=1))
    with as_role("app"):
        assert token_of(core.client, core.secret).status_code == 401
        assert token_of(core.client, second).status_code == 200
    assert not ClientSecret.objects.filter(digest__in=[core.secret, second]).exists()


def test_other_methods_are_told_which_there_are(core, as_role):
    with as_role("app"):
        for method in ("get", "put", "patch", "delete", "head", "options"):
            answer = getattr(core.http, method)(ADDRESS, headers=core.headers())
            assert (answer.status_code, answer.headers["Allow"]) == (405, "POST"), method
        answer = core.http.generic("TRACE", ADDRESS, headers=core.headers())
        refused(answer, 405, "method_not_allowed")


def test_answers_are_json_or_nothing(core, as_role):
    with as_role("app"):
        answer = core.post("notes/", {}, Accept="application/xml")
        refused(answer, 406, "not_acceptable")
        refused(
            core.post("notes/", {}, Accept="application/problem+json, */*;q=0.1"), 400, "invalid"
        )


@pytest.mark.parametrize(
    "path", ["nope/", "notes", "../notes/", "notes/%00/", "notes/１２/", "v2/notes/"]
)
def test_other_addresses_are_nowhere(core, path):
    refused(core.http.get(f"/api/v1/{path}", headers=core.headers()), 404, "not_found")


def test_another_host_is_refused(core):
    answer = core.http.post(
        ADDRESS, "{}", content_type="application/json", headers={"Host": "evil.example"}
    )
    refused(answer, 400, "bad_request")


def test_a_name_for_the_request_is_taken_over_if_it_is_one(core):
    named = core.http.get("/health/live", headers={"X-Request-ID": "treasury-000017"})
    odd = core.http.get("/health/live", headers={"X-Request-ID": "a b\x7f"})
    assert named.headers["X-Request-ID"] == "treasury-000017"
    assert len(odd.headers["X-Request-ID"]) == 36


def test_a_client_in_haste_waits_and_others_do_not(bank, as_role):
    hasty = Machine("hasty", bank, requests_per_minute=3)
    other = Machine("other", bank, requests_per_minute=3)
    with as_role("app"):
        answers = [hasty.post("notes/", {}) for _ in range(9)]
        assert {answer.status_code for answer in answers[:3]} == {400}
        late = answers[-1]
        assert other.post("notes/", {}).status_code == 400
    refused(late, 429, "too_many_requests")
    assert 1 <= int(late.headers["Retry-After"]) <= 60


def test_who_asks_for_tokens_all_the_time_waits(core, as_role, settings):
    settings.API_STRANGERS_PER_MINUTE = 1
    with as_role("app"):
        late = [token_of(core.client, core.secret) for _ in range(9)][-1]
    assert (late.status_code, late.json()) == (429, {"error": "temporarily_unavailable"})
    assert 1 <= int(late.headers["Retry-After"]) <= 60


def test_without_a_broker_nobody_waits(core, as_role, settings):
    from config.kernel.api import throttling

    throttling._broker.cache_clear()
    settings.REDIS_URL = "unix:///nowhere/socket"
    try:
        with as_role("app"):
            refused(core.post("notes/", {}), 400, "invalid")
            ready = core.http.get("/health/ready")
    finally:
        throttling._broker.cache_clear()
    assert (ready.status_code, ready.json()["checks"]["broker"]) == (503, "failed")


def test_a_certificate_counts_only_from_a_trusted_proxy(bank, as_role, settings):
    core = Machine("core", bank, certificate_sha256="ab" * 32)
    shown = {"X-SSL-Client-SHA256": ":".join(["AB"] * 32)}

    def asked(**headers: str) -> Any:
        with as_role("app"):
            return core.post("notes/", {}, **headers)

    refused(asked(**shown), 401, "certificate_required")
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.0/8")]
    refused(asked(**shown), 400, "invalid")
    refused(asked(), 401, "certificate_required")
    refused(asked(**{"X-SSL-Client-SHA256": "cd" * 32}), 401, "certificate_required")


def test_health_and_counts(core, as_role, settings):
    with as_role("app"):
        assert core.http.get("/health/live").json() == {"status": "ok"}
        ready = core.http.get("/health/ready")
    checks = dict.fromkeys(("database", "role", "migrations", "broker"), "ok")
    assert (ready.status_code, ready.json()) == (200, {"status": "ok", "checks": checks})
    counted = core.http.get("/metrics")
    assert (
        b'tiexi_http_requests_total{method="GET",route="health/live",status="200"}'
        in counted.content
    )
    for outside in ({"REMOTE_ADDR": "10.0.0.9"}, {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}):
        assert core.http.get("/metrics", **outside).status_code == 404
    settings.METRICS_ADDRESSES = [ip_network("10.0.0.0/24")]
    assert core.http.get("/metrics", REMOTE_ADDR="10.0.0.9").status_code == 200


def test_a_person_signed_in_is_nobody_here(bank, as_role):
    """Sessions open pages; tokens open the interface."""
    assert ApiClient.objects.count() == 0
    refused(Client().post(ADDRESS, "{}", content_type="application/json"), 401, "no_token")
