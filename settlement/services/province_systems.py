"""Registering, changing and closing systems of provinces: administrators', as addresses of webhooks are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.kernel.services import outbox, posting
from config.kernel.services.sealed import seal
from settlement.engine.wire import Definition
from settlement.models import ProvinceSystem, Scheme
from settlement.services.province_definitions import definitions
from settlement.services.province_sending import KIND, NOT_TOLD

SECRET_MIN, SECRET_MAX = 16, 500


@dataclass(frozen=True)
class Connection:
    """Where a system is, the secret it knows us by (blank: as before), and for which schemes it is told."""

    url: str
    secret: str
    scheme_codes: Sequence[str]


@transaction.atomic
def register(
    *, code: str, definition: str, bound_to_id: int | None, to: Connection, actor: str, at: datetime
) -> int:
    """Connect a system from now on; ValidationError for what is not possible."""
    known = definitions().get(definition)
    if known is None:
        raise ValidationError(_("没有这份对接规格"), code="definition_unknown")
    if ProvinceSystem.objects.filter(code=code, is_active=True).exists():
        raise ValidationError(_("已有启用的同名系统"), code="system_known")
    _check(known, to)
    _check_secret(known, to)
    made = ProvinceSystem(
        code=code,
        definition=definition,
        url=to.url,
        secret=seal(to.secret) if to.secret else "",
        secret_set_by=actor if to.secret else "",
        secret_set_at=at if to.secret else None,
        bound_to_id=bound_to_id,
        scheme_codes=sorted(set(to.scheme_codes)),
        since=at,
        made_by=actor,
        made_at=at,
    )
    made.full_clean()
    made.save()
    return int(made.pk)


@transaction.atomic
def change(*, system_id: int, to: Connection, actor: str, at: datetime) -> None:
    """Speak to it elsewhere, with another secret or about other schemes from now on.

    A secret is only for whom it came from: another host, port or way of speaking needs one of its own.
    """
    system = _active(system_id)
    known = definitions().get(system.definition)
    _check(known, to)
    if to.secret or _origin(to.url) != _origin(system.url):
        _check_secret(known, to)
    system.url, system.scheme_codes = to.url, sorted(set(to.scheme_codes))
    if to.secret:
        system.secret, system.secret_set_by, system.secret_set_at = seal(to.secret), actor, at
    system.save(update_fields=["url", "scheme_codes", "secret", "secret_set_by", "secret_set_at"])
    if system.scheme_codes:
        outbox.give_up_all(
            receiver_kind=KIND,
            receiver_id=system.pk,
            why=NOT_TOLD,
            actor=actor,
            at=at,
            but_of_schemes=system.scheme_codes,
        )


@transaction.atomic
def close(*, system_id: int, why: str, actor: str, at: datetime) -> int:
    """Speak to it no more and give up what waits; returns how many events that were."""
    system = _active(system_id)
    system.is_active = False
    system.save(update_fields=["is_active"])
    return outbox.give_up_all(
        receiver_kind=KIND, receiver_id=system.pk, why=why, actor=actor, at=at
    )


def _active(system_id: int) -> ProvinceSystem:
    found = ProvinceSystem.objects.select_for_update(of=("self",)).filter(pk=system_id).first()
    if found is None or not found.is_active:
        raise ValidationError(_("系统不存在或已停用"), code="system_inactive")
    return found


def _check(known: Definition | None, to: Connection) -> None:
    if known is None:
        raise ValidationError(_("没有这份对接规格"), code="definition_unknown")
    if known.transport == "file":
        if to.url or to.secret:
            raise ValidationError(_("文件交换不用地址和密钥"), code="file_has_no_address")
    else:
        posting.check_url(to.url)
        if "?" in to.url:
            raise ValidationError(_("地址不能含查询参数“?”"), code="url_has_query")
    codes = set(to.scheme_codes)
    if codes - set(Scheme.objects.filter(code__in=codes).values_list("code", flat=True)):
        raise ValidationError(_("没有这项贴息政策"), code="scheme_unknown")


def _check_secret(known: Definition | None, to: Connection) -> None:
    if known is None or known.transport == "file":
        return
    fits = to.secret.isascii() and to.secret.isprintable() and to.secret == to.secret.strip()
    if not fits or not SECRET_MIN <= len(to.secret) <= SECRET_MAX:
        raise ValidationError(
            _("密钥须为 16–500 个可见的 ASCII 字符；换了主机或端口须重新填写"), code="secret_weak"
        )


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or usual
