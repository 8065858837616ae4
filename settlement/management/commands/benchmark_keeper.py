"""`benchmark_keeper`: hold the servers of a data folder until standard input closes."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """See `--help`."""

    help = "占用内置数据库直至标准输入关闭（供 benchmark 使用）/ keep the embedded servers running"

    def handle(self, *args: Any, **options: Any) -> None:
        """Wait."""
        sys.stdin.read()
