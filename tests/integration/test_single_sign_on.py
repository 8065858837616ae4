"""Single sign-on against a provider over HTTP: who gets in, and what is not believed."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

import time

import pytest
from axes.models import AccessAttempt
from django.core.exceptions import ImproperlyConfigured

from config.kernel.models import Role, SignIn, User
from config.settings import signin as configuration
from tests.integration import urls_with_provider
from tests.integration.door import INDEX, audit, browser, code_of, factor, give_code, person, tree  # noqa: F401
from tests.integration.provider import CLIENT, SECRET, Provider, new_key

pytestmark = pytest.mark.django_db

BACK, START = "/oidc/back/", "/oidc/start/"


@pytest.fixture
def provider(settings):
    made = Provider()
    environment = {
        "OIDC_ISSUER": made.address,
        "OIDC_CLIENT_ID": CLIENT,
        "OIDC_CLIENT_SECRET": SECRET,
        "OIDC_AUTHORIZATION_ENDPOINT": f"{made.address}/authorize",
        "OIDC_TOKEN_ENDPOINT": f"{made.address}/token",
        "OIDC_JWKS_ENDPOINT": f"{made.address}/keys",
    }
    for name, value in configuration.oidc(environment).items():
        setattr(settings, name, value)
    settings.AUTHENTICATION_BACKENDS = [
        *configuration.AUTHENTICATION_BACKENDS,
        "config.kernel.services.oidc.OidcBackend",
    ]
    settings.ROOT_URLCONF = urls_with_provider.__name__
    yield made
    made.close()


def claims_of(provider, name, **more):
    now = int(time.time())
    return {
        "iss": provider.address, "aud": CLIENT, "sub": "s-1", "iat": now, "exp": now + 300,
        "preferred_username": name, **more,
    }  # fmt: skip


def come_in(provider, name="wang", client=None, **claims):
    """Go to the provider and come back; the browser and the answer."""
    client = client or browser()
    start = client.get(START, {"next": "/admin/loans/note/"}).url
    answer = client.get(BACK, provider.answer(start, claims_of(provider, name, **claims)))
    return client, answer


def test_an_active_person_comes_in_where_they_were_going(provider, person):
    person("wang")

    client, answer = come_in(provider)

    assert (answer.status_code, answer.url) == (302, "/admin/loans/note/")
    assert client.get("/admin/loans/note/").status_code == 200
    assert audit() == [("signed_in", "wang", "sso")]


def test_the_sign_in_page_offers_it(provider):
    page = browser().get("/admin/login/?next=/admin/loans/note/").content.decode()

    assert 'href="/oidc/start/?next=/admin/loans/note/"' in page


@pytest.mark.parametrize(
    "more",
    [
        {"is_active": False},
        {"is_staff": False},
    ],
)
def test_nobody_else_does_and_nobody_is_made(more, provider, person):
    person("wang")
    User.objects.filter(username="wang").update(**more)
    people = list(User.objects.order_by("id").values())

    for name in ("wang", "stranger", "system", "WANG", "", None, 5, ["wang"], "wang\0"):
        client, answer = come_in(provider, name, role="administrator", groups=["admin"])
        assert (answer.status_code, answer.url) == (302, "/admin/login/"), name
        assert client.get(INDEX).url.startswith("/admin/login/")

    assert list(User.objects.order_by("id").values()) == people
    assert {event for event, _name, _method in audit()} == {"refused"}


def long_ago():
    return int(time.time()) - 3600


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"nonce": "another"}, "JWT Nonce verification failed."),
        ({"nonce": None}, "ID token: MissingRequiredClaimError"),
        ({"aud": "another-client"}, "ID token: InvalidAudienceError"),
        ({"aud": None}, "ID token: MissingRequiredClaimError"),
        ({"aud": [CLIENT, "another"]}, "ID token: not issued to us (azp)"),
        ({"iss": "https://evil.example"}, "ID token: InvalidIssuerError"),
        ({"exp": long_ago()}, "ID token: ExpiredSignatureError"),
        ({"exp": None}, "ID token: MissingRequiredClaimError"),
        ({"iat": int(time.time()) + 36_000}, "ID token: ImmatureSignatureError"),
        ({"preferred_username": None}, "nobody active here has the name in the token"),
    ],
)
def test_a_token_that_is_not_right_lets_nobody_in(claims, why, provider, person):
    person("wang")

    client, answer = come_in(provider, **claims)

    assert (answer.status_code, answer.url) == (302, "/admin/login/")
    assert client.get(INDEX).url.startswith("/admin/login/")
    assert "单点登录未成功" in client.get("/admin/login/").content.decode()
    assert list(SignIn.objects.values_list("event", "detail")) == [("refused", why)]
    assert provider.tokens_given == 1


@pytest.mark.parametrize("spoilt", ["key", "HS256", "none"])
def test_a_token_signed_by_another_key_or_way_lets_nobody_in(spoilt, provider, person):
    person("wang")
    if spoilt == "key":
        provider.key = new_key()
    else:
        provider.algorithm = spoilt

    client, _answer = come_in(provider)

    assert client.get(INDEX).url.startswith("/admin/login/")
    assert [event for event, _name, _method in audit()] == ["refused"]


def test_an_answer_is_taken_once_by_the_browser_that_asked(provider, person):
    person("wang")
    client = browser()
    start = client.get(START).url
    answer = provider.answer(start, claims_of(provider, "wang"))

    assert browser().get(BACK, answer).url == "/admin/login/"
    assert client.get(BACK, {**answer, "state": "guessed"}).url == "/admin/login/"
    assert provider.tokens_given == 0
    assert client.get(BACK, answer).url == INDEX
    again = browser()
    assert again.get(BACK, answer).url == "/admin/login/"
    assert again.get(BACK).url == "/admin/login/"
    assert again.get(BACK, {"error": "access_denied", "state": "x"}).url == "/admin/login/"
    assert provider.tokens_given == 1


def test_a_provider_that_is_away_is_a_refusal_and_no_failure_locks_anybody(
    provider, person, settings
):
    person("wang")
    settings.OIDC_OP_TOKEN_ENDPOINT = "http://127.0.0.1:9/token"

    for _ in range(6):
        client, answer = come_in(provider)
        assert (answer.status_code, answer.url) == (302, "/admin/login/")

    assert AccessAttempt.objects.count() == 0
    assert SignIn.objects.latest("id").detail == "provider: ConnectionError"
    assert client.get(INDEX).url.startswith("/admin/login/")


def test_a_checker_still_proves_the_second_factor_here(provider, person):
    device = factor(person("wang", Role.CHECKER))

    client, _answer = come_in(provider, amr=["pwd", "otp"], acr="gold")

    assert client.get(INDEX).url.startswith("/admin/second-factor/")
    assert give_code(client, code_of(device)).status_code == 302
    assert audit() == [("code_awaited", "wang", "sso"), ("signed_in", "wang", "sso_code")]


@pytest.mark.parametrize(
    ("claims", "is_in"),
    [
        ({"amr": ["pwd", "hwk"]}, True),
        ({"acr": "gold"}, True),
        ({"amr": ["pwd"], "acr": "silver"}, False),
        ({"amr": "hwk"}, False),
        ({"amr": None}, False),
        ({"amr": [["hwk"]]}, False),
    ],
)
def test_unless_the_installation_trusts_the_providers(claims, is_in, provider, person, settings):
    settings.OIDC_TRUSTED_AMR, settings.OIDC_TRUSTED_ACR = ["hwk"], ["gold"]
    person("wang", Role.CHECKER)

    client, _answer = come_in(provider, **claims)

    assert (client.get(INDEX).status_code == 200) is is_in
    expected = "signed_in" if is_in else "code_awaited"
    assert audit() == [(expected, "wang", "sso")]


def test_without_an_issuer_there_is_no_way_in():
    assert configuration.oidc({}) == {"OIDC_ISSUER": ""}
    assert browser().get(START).status_code == 404
    assert browser().get(BACK).status_code == 404


def test_half_a_configuration_is_refused():
    with pytest.raises(ImproperlyConfigured, match="OIDC_TOKEN_ENDPOINT, OIDC_JWKS_ENDPOINT"):
        configuration.oidc({
            "OIDC_ISSUER": "https://id.example", "OIDC_CLIENT_ID": "a", "OIDC_CLIENT_SECRET": "b",
            "OIDC_AUTHORIZATION_ENDPOINT": "https://id.example/a",
        })  # fmt: skip


@pytest.mark.parametrize(
    ("text", "fails"), [("10.0.0.0/8, ::1", False), ("10.0.0.1/8", True), ("proxy", True)]
)
def test_trusted_proxies_are_networks(text, fails):
    if fails:
        with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES"):
            configuration.networks({"TRUSTED_PROXIES": text})
        return
    assert [str(one) for one in configuration.networks({"TRUSTED_PROXIES": text})] == [
        "10.0.0.0/8",
        "::1/128",
    ]


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5"])
def test_limits_are_whole_numbers_above_zero(text):
    with pytest.raises(ImproperlyConfigured, match="SESSION_HOURS"):
        configuration.positive({"SESSION_HOURS": text}, "SESSION_HOURS", 12)
    assert configuration.positive({}, "SESSION_HOURS", 12) == 12
