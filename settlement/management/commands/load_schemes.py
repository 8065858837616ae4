"""`load_schemes [PATH…]`: validate and load scheme files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import ProjectCommand, now
from settlement.engine.errors import TermsError
from settlement.services.schemes import load_schemes


class Command(ProjectCommand):
    """See `--help`."""

    help = "校验并装载政策文件（默认：随附的四项）/ validate and load scheme files"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Files or folders."""
        super().add_arguments(parser)
        parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load all, or print every problem and exit 1."""
        self.require_everywhere(options)
        missing = [str(path) for path in options["paths"] if not path.exists()]
        if missing:
            raise CommandError(f"找不到文件 / no such file: {', '.join(missing)}")
        try:
            loaded = load_schemes(
                paths=options["paths"], actor=self.actor(options), checker=self.checker(), at=now()
            )
        except TermsError as error:
            raise CommandError(str(error)) from error
        if not loaded:
            raise CommandError("没有找到 .toml 政策文件 / no scheme file (.toml) there")
        for scheme in loaded:
            state = "新版本 new version" if scheme.is_new else "未变 unchanged"
            waiting = "" if scheme.is_checked else "，待复核后生效 / waits for a checker"
            self.stdout.write(f"{scheme.code}: v{scheme.version} {state}{waiting}")
