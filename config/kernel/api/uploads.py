"""Whole files as bodies: streamed to disk as they come, however large, and known by their digest."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser

from config.kernel.api.problems import Problem

BLOCK = 1 << 20
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Received:
    """A file that came in: where it lies until the request ends."""

    path: Path
    media_type: str
    sha256: str
    size: int

    def discard(self) -> None:
        """Remove it with its folder."""
        shutil.rmtree(self.path.parent, ignore_errors=True)


class FileParser(BaseParser):
    """A body as a file; the view's `max_bytes` is the limit, and `received` where it finds the file."""

    def parse(  # type: ignore[override]
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Received:
        """Write the body to disk; raises Problem `body_too_large`, and leaves nothing then."""
        context = parser_context or {}
        request, view = context["request"], context["view"]
        if request.META.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
            raise UnsupportedMediaType(media_type or "")
        size = request.META.get("CONTENT_LENGTH") or "0"
        if size.isdecimal() and int(size) > view.max_bytes:
            raise Problem("body_too_large")
        path = Path(tempfile.mkdtemp(prefix="upload-")).joinpath("body")
        view.received = Received(path, self.media_type or "", "", 0)  # so that it is removed
        view.received = _written(stream, view.received, view.max_bytes)
        found: Received = view.received
        return found


class CSVParser(FileParser):
    """Comma-separated values, in any encoding that files may have."""

    media_type = CSV


class XLSXParser(FileParser):
    """A workbook."""

    media_type = XLSX


def _written(stream: IO[bytes], to: Received, limit: int) -> Received:
    digest, size = hashlib.sha256(), 0
    with to.path.open("wb") as out:
        while block := stream.read(BLOCK):
            size += len(block)
            if size > limit:
                raise Problem("body_too_large")
            digest.update(block)
            out.write(block)
    return Received(to.path, to.media_type, digest.hexdigest(), size)
