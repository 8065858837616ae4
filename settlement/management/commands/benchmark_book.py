"""`benchmark_book FOLDER N`: write the synthetic book, in a process of its own for its own memory."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from settlement.management.synthetic_book import write_book


class Command(BaseCommand):
    """See `--help`."""

    help = "写出合成数据文件（供 benchmark 使用）/ write the synthetic book's files"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Where, and how large."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("collections", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the files and print the rows of each kind as JSON."""
        rows = write_book(options["folder"], collections=options["collections"])
        self.stdout.write(json.dumps(rows))
