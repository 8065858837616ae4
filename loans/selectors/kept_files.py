"""Files that people handed in or that were made for them, proved on every reading."""

from __future__ import annotations

from typing import BinaryIO

from config.kernel.services import store
from loans.values.errors import DomainError, bilingual


def opened_file(*, sha256: str, name: str) -> BinaryIO:
    """The content kept under this sha256; `name` is what people call the file.

    DomainError `file_missing` or `file_tampered` names the file.
    """
    try:
        return store.opened(sha256)
    except store.MissingFileError as error:
        raise DomainError(
            "file_missing",
            bilingual(
                f"文件库中缺少 {name}（sha256 {sha256}），请从备份恢复",
                "the store lacks this file, restore it from a backup",
            ),
        ) from error
    except store.TamperedFileError as error:
        raise DomainError(
            "file_tampered",
            bilingual(
                f"文件 {name} 与登记的 sha256 {sha256} 不符，已被改动，请从备份恢复",
                "the stored file was changed, restore it from a backup",
            ),
        ) from error
