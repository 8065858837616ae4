"""Notices to enterprises: for which banks and policies they are sent, by which gateways (SME-14, EQ-11).

Nothing is sent unless NOTICES_FOR says so; what is posted meanwhile is kept as told by nobody.

NOTICES_FOR       institution/policy pairs joined by commas, `*` for all: `10230000000001/central-sme-2026`
NOTICES_SMS       a gateway's address (https://…), or `file`; likewise NOTICES_APP
NOTICES_EMAIL     `email` (Django's mail, see EMAIL_HOST), or `file`
NOTICES_KEY       the secret that requests to gateways are signed with
NOTICES_HOTLINE   the telephone number every text ends with
NOTICES_DIR       where `file` writes (default: under DATA_DIR)
"""

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

CHANNELS = ("sms", "app", "email")
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
HOTLINE_CHARACTERS = 30


def _refuse(name: str, rule: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"环境变量 / environment variable {name}: {rule}")


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Institution and policy codes that notices are sent for, `*` for all."""
    found = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        institution, separator, scheme = item.partition("/")
        if not (institution and separator and scheme) or "/" in scheme:
            raise _refuse(
                "NOTICES_FOR", f"应为 机构编码/政策代码 / wants institution/policy: {item!r}"
            )
        found.append((institution, scheme))
    return tuple(found)


def gateways(environment: Mapping[str, str]) -> dict[str, str]:
    """Channel → the address of its gateway, `email` or `file`; channels without one are left out."""
    found = {}
    for channel in CHANNELS:
        name = f"NOTICES_{channel.upper()}"
        value = environment.get(name, "").strip()
        if not value:
            continue
        parts = urlsplit(value)
        is_address = parts.scheme == "https" or (
            parts.scheme == "http" and parts.hostname in LOOPBACK
        )
        if value != "file" and not (
            value == "email" if channel == "email" else is_address and parts.hostname
        ):
            rule = "只能是 https 地址或 file（邮件为 email 或 file） / an https address or file (mail: email or file)"
            raise _refuse(name, rule)
        found[channel] = value
    return found


def check(environment: Mapping[str, str]) -> None:
    """Refuse a setting by which a notice would be late, unsigned or unanswerable."""
    if not pairs(environment.get("NOTICES_FOR", "")):
        return
    chosen = gateways(environment)
    if not chosen:
        raise _refuse("NOTICES_FOR", "未配置任何网关 / no gateway is configured")
    hotline = environment.get("NOTICES_HOTLINE", "").strip()
    if not 0 < len(hotline) <= HOTLINE_CHARACTERS:
        raise _refuse("NOTICES_HOTLINE", "须填写咨询电话 / must be the telephone number to ask")
    if chosen.get("email") == "email" and not environment.get("EMAIL_HOST"):
        raise _refuse("NOTICES_EMAIL", "未配置邮件服务器 EMAIL_HOST / no mail server is configured")
    is_remote = any(value not in {"file", "email"} for value in chosen.values())
    if is_remote and len(environment.get("NOTICES_KEY", "")) < 16:
        raise _refuse("NOTICES_KEY", "至少 16 个字符 / at least 16 characters")


check(os.environ)
NOTICES_FOR = pairs(os.environ.get("NOTICES_FOR", ""))
NOTICES_GATEWAYS = gateways(os.environ)
NOTICES_KEY = os.environ.get("NOTICES_KEY", "")
NOTICES_HOTLINE = os.environ.get("NOTICES_HOTLINE", "").strip()
