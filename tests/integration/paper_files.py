"""Files as somebody would hand them in."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

from loans.services.papers import Attachment

PDF = b"%PDF-1.7\n" + b"one page\n" * 20
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def sha256(content: bytes) -> str:
    """The digest under which a file is kept."""
    return hashlib.sha256(content).hexdigest()


def handed_in(folder: Path, content: bytes = PDF, name: str = "承诺书.pdf") -> Attachment:
    """A file on disk under a name of no meaning, and what its owner calls it."""
    path = folder / f"upload-{sha256(content)[:8]}"
    path.write_bytes(content)
    return Attachment(path, name)


def ofd(*names: str) -> bytes:
    """A zip that holds files of these names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name in names:
            package.writestr(name, "x")
    return out.getvalue()
