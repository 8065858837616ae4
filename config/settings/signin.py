"""Who gets in: passwords, lockout, second factor, sessions, single sign-on (kernel DECISIONS.md, A50–A58)."""

import os
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from django.core.exceptions import ImproperlyConfigured


def positive(environment: Mapping[str, str], name: str, default: int) -> int:
    """A whole number above zero from the environment."""
    text = environment.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ImproperlyConfigured(
            f"{name} 须为正整数 / must be a whole number above zero: {text!r}"
        )
    return int(text)


def networks(
    environment: Mapping[str, str], name: str = "TRUSTED_PROXIES"
) -> list[IPv4Network | IPv6Network]:
    """Networks that are trusted with something, as the variable says; none unless named."""
    try:
        return [ip_network(text) for text in _words(environment.get(name, ""))]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from error


# Required of an installation with single sign-on; the first alone decides whether there is any.
OIDC_REQUIRED = (
    "OIDC_ISSUER",
    "OIDC_CLIENT_ID",
    "OIDC_CLIENT_SECRET",
    "OIDC_AUTHORIZATION_ENDPOINT",
    "OIDC_TOKEN_ENDPOINT",
    "OIDC_JWKS_ENDPOINT",
)


def oidc(environment: Mapping[str, str]) -> dict[str, Any]:
    """Settings of single sign-on, if an issuer is named: all of it, or a refusal to start."""
    if not environment.get("OIDC_ISSUER"):
        return {"OIDC_ISSUER": ""}
    missing = [name for name in OIDC_REQUIRED if not environment.get(name)]
    if missing:
        message = "单点登录缺少环境变量 / single sign-on needs also: "
        raise ImproperlyConfigured(message + ", ".join(missing))
    return {
        "OIDC_ISSUER": environment["OIDC_ISSUER"],
        "OIDC_RP_CLIENT_ID": environment["OIDC_CLIENT_ID"],
        "OIDC_RP_CLIENT_SECRET": environment["OIDC_CLIENT_SECRET"],
        "OIDC_OP_AUTHORIZATION_ENDPOINT": environment["OIDC_AUTHORIZATION_ENDPOINT"],
        "OIDC_OP_TOKEN_ENDPOINT": environment["OIDC_TOKEN_ENDPOINT"],
        "OIDC_OP_JWKS_ENDPOINT": environment["OIDC_JWKS_ENDPOINT"],
        "OIDC_OP_USER_ENDPOINT": "",  # what the signed ID token says is all we ask
        "OIDC_RP_SIGN_ALGO": "RS256",
        "OIDC_RP_SCOPES": environment.get("OIDC_SCOPES") or "openid profile",
        "OIDC_CREATE_USER": False,
        "OIDC_USE_PKCE": True,
        "OIDC_TIMEOUT": 10,
        "OIDC_AUTHENTICATION_CALLBACK_URL": "oidc_callback",
    }


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATION}.NumericPasswordValidator"},
    {"NAME": "config.kernel.services.passwords.ReuseValidator", "OPTIONS": {"last": 5}},
]
PASSWORD_DAYS = positive(os.environ, "PASSWORD_DAYS", 90)

# Lockout by name and address together: nobody locks out a colleague from somewhere else.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# Our own audit tells more, and never a name nobody has (it may be a password in the wrong box).
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_USERNAME_CALLABLE = "config.kernel.services.signin.name_of_attempt"
AXES_CLIENT_IP_CALLABLE = "config.kernel.services.signin.client_address"
AXES_WHITELIST_CALLABLE = "config.kernel.services.signin.is_without_name"
AXES_LOCKOUT_CALLABLE = "config.kernel.admin.signing_in.locked_out"

OTP_TOTP_ISSUER = "贴息管理系统"

SESSION_COOKIE_AGE = positive(os.environ, "SESSION_HOURS", 12) * 60 * 60
SESSION_IDLE_SECONDS = positive(os.environ, "SESSION_IDLE_MINUTES", 30) * 60
SESSION_COOKIE_SAMESITE = "Lax"
TRUSTED_PROXIES = networks(os.environ)  # whose word on the client's address is believed
METRICS_ADDRESSES = networks(
    os.environ, "METRICS_ADDRESSES"
)  # whom /metrics answers, beside this machine

OIDC_ISSUER = os.environ.get("OIDC_ISSUER", "")
OIDC_USERNAME_CLAIM = os.environ.get("OIDC_USERNAME_CLAIM") or "preferred_username"
# What the provider's amr and acr must say for its second factor to count; nothing does unless named.
OIDC_TRUSTED_AMR = _words(os.environ.get("OIDC_TRUSTED_AMR", ""))
OIDC_TRUSTED_ACR = _words(os.environ.get("OIDC_TRUSTED_ACR", ""))
globals().update(oidc(os.environ))
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    *(["config.kernel.services.oidc.OidcBackend"] if OIDC_ISSUER else []),
]
