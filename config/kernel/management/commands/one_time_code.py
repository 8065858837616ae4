"""`one_time_code`: what an authenticator with this key would show now; to try the system without a phone."""

from __future__ import annotations

import argparse
import binascii
from base64 import b32decode
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django_otp.oath import TOTP

from config.kernel.management.base import now


class Command(BaseCommand):
    """See `--help`."""

    help = (
        "由绑定页上的密钥算出当前的 6 位验证码，仅限开发环境"
        " / the six digits for the key shown at set-up, in development settings only"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The key, with or without its spaces."""
        parser.add_argument("key", nargs="+", help="手工输入的密钥 / the key to type")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the code."""
        if not settings.AUTO_CHECK:
            raise CommandError("仅限开发环境 / in development settings only")
        text = "".join(options["key"]).upper()
        try:
            totp = TOTP(b32decode(text + "=" * (-len(text) % 8)))
        except (binascii.Error, ValueError) as error:
            raise CommandError(f"不是密钥 / not a key: {text}") from error
        totp.time = now().timestamp()
        self.stdout.write(f"{totp.token():06d}")
