"""Files that a step takes in: the field, and what was wrong with one, by row and column."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import FileExtensionValidator
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from config.kernel.admin.sections import Column, Section, texts
from loans.admin.base import own_language
from loans.files.problems import Problem, shown_value

PROBLEMS_SHOWN = 500
NAME_CHARACTERS = 60  # of four bytes each still fit a file's name


class TableField(forms.FileField):
    """A CSV or XLSX file."""

    widget = UnfoldAdminFileFieldWidget
    default_validators = [FileExtensionValidator(["csv", "xlsx"])]

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"label": _("文件"), "help_text": _("CSV 或 XLSX"), **options})


@contextmanager
def on_disk(sent: UploadedFile[bytes]) -> Iterator[Path]:
    """The file under its own name, as far as a folder takes it, for as long as it is read."""
    name = Path(str(sent.name))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name.stem[:NAME_CHARACTERS]}{name.suffix}"
        with path.open("wb") as out:
            shutil.copyfileobj(sent, out)
        yield path


def column_name(column: str | None, header: str | None) -> str:
    """A column of a file in the reader's language: its Chinese header, or its English key."""
    names = (column, header) if get_language() == "en" else (header, column)
    return next((name for name in names if name), "")


def problem_table(problems: Iterable[Problem]) -> Section:
    """Every problem of a refused file: its row, its column, what is written there, what is wrong."""
    rows = [
        (
            f"{one.row:,}",
            column_name(one.column, one.header),
            "" if one.value is None else shown_value(one.value),
            own_language(one.message),
        )
        for one in list(problems)[:PROBLEMS_SHOWN]
    ]
    return Section(
        title=_("文件中的错误（未保存任何数据）"),
        columns=[Column(_("行"), is_number=True), *texts(_("列"), _("内容"), _("错误"))],
        rows=rows,
    )
