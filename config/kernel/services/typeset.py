"""Papers as PDF: a template and its data, in the packaged Chinese font alone, the same bytes each time."""

from __future__ import annotations

import calendar
import functools
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import noto_cjk_sans_otc
import typst

from config.kernel.services.files import whole


def write_pdf(*, template: Path, data: Mapping[str, Any], path: Path, dated: date) -> None:
    """Set `data` by a Typst template, which reads it as `json(bytes(sys.inputs.data))`.

    `dated` is the day the file says it was made on: that of its content, never the clock's.
    """
    made = typst.compile(
        template.read_bytes(),
        format="pdf",
        font_paths=_fonts(),
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        timestamp=calendar.timegm(dated.timetuple()),
        pdf_tags=False,
    )
    assert isinstance(made, bytes)
    with whole(path) as partial:
        partial.write_bytes(made)


@functools.cache
def _fonts() -> typst.Fonts:
    """The packaged font and no other, so that every machine sets the same lines."""
    folder = Path(str(noto_cjk_sans_otc.FONT_PATH)).parent
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder)]
    )
