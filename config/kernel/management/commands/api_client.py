"""`api_client`: let a machine in, give it a new secret, or close it."""

from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from config.kernel.management.base import ProjectCommand, now
from config.kernel.models import ApiClient, FinanceDepartment, Institution, Role
from config.kernel.services import clients
from config.kernel.services.clients import Speaker, Terms


class Command(ProjectCommand):
    """The secret is printed once and kept as a digest."""

    permitted = frozenset({Role.ADMINISTRATOR})
    help = "登记接口客户端、更换密钥或停用 / register a client of the interface, rotate its secret, close it"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Who it is, for whom it speaks, what it may do."""
        super().add_arguments(parser)
        parser.add_argument(
            "name", help="名称：小写字母、数字、连字符 / lower-case letters, digits, hyphens"
        )
        parser.add_argument("--bank", help="绑定机构编码 / the institution it speaks for")
        parser.add_argument("--department", help="绑定财政部门编码 / the finance department")
        parser.add_argument(
            "--scope",
            action="append",
            choices=[*settings.API_SCOPES],
            help="可多次，缺省全部 / default: all",
        )
        parser.add_argument(
            "--sign", action="store_true", help="资金请求须签名 / must sign money posts"
        )
        parser.add_argument("--per-minute", type=int, default=600)
        parser.add_argument("--rotate", action="store_true", help="更换密钥 / give it a new secret")
        parser.add_argument("--close", action="store_true", help="停用 / close it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one of the three."""
        self.require_everywhere(options)
        try:
            if options["rotate"] or options["close"]:
                self._change(options)
            else:
                self._register(options)
        except clients.Refused as refused:
            raise CommandError(str(refused)) from refused

    def _register(self, options: dict[str, Any]) -> None:
        terms = Terms(
            scopes=tuple(options["scope"] or settings.API_SCOPES),
            requires_signature=options["sign"],
            requests_per_minute=options["per_minute"],
        )
        client, secret = clients.register(
            name=options["name"],
            speaks_for=self._speaker(options),
            terms=terms,
            actor=self.actor(options),
            at=now(),
        )
        self._tell(client, secret)

    def _change(self, options: dict[str, Any]) -> None:
        client = (
            ApiClient.objects.select_related("application").filter(name=options["name"]).first()
        )
        if client is None:
            raise CommandError(f"没有这个客户端：{options['name']} / no such client")
        if options["close"]:
            clients.close(client_id=client.pk)
            self.stdout.write(f"已停用 / closed: {client}")
            return
        secret = clients.rotate_secret(client_id=client.pk, actor=self.actor(options), at=now())
        self._tell(client, secret)

    def _speaker(self, options: dict[str, Any]) -> Speaker:
        if bool(options["bank"]) == bool(options["department"]):
            raise CommandError(
                "--bank 与 --department 须且只能填一个 / one of the two", returncode=2
            )
        if options["bank"]:
            place = Institution.objects.filter(code=options["bank"]).first()
            if place is None:
                raise CommandError(f"未登记的机构编码：{options['bank']} / unknown institution")
            return Speaker(institution=place)
        department = FinanceDepartment.objects.filter(code=options["department"]).first()
        if department is None:
            raise CommandError(
                f"没有这个财政部门：{options['department']}；先用 finance_department 登记"
                " / unknown department: register it with finance_department"
            )
        return Speaker(department=department)

    def _tell(self, client: ApiClient, secret: str) -> None:
        self.stdout.write(f"client_id     {client.application.client_id}")
        self.stdout.write(f"client_secret {secret}")
        self.stdout.write("密钥只显示这一次 / the secret is shown this once")
