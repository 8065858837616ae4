"""Days off and make-up working days, as the State Council's office publishes them; reports keep them."""

from loans.files.kind_columns import DOCUMENT, choice, day, name
from loans.files.kind_types import Kind

HOLIDAYS = Kind(
    name="holidays",
    title_zh="节假日与调休",
    klass="reference",
    columns=(
        day("day", "日期"),
        choice("kind", "类别", {"workday": "班", "holiday": "休"}),
        name("name", "名称"),
        DOCUMENT,
    ),
    key=("day",),
)
