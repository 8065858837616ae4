"""Papers kept in the bank's archive, referenced by number (MF-20, EQ-07)."""

import polars as pl

from loans.files.kind_columns import INSTITUTION, choice, day, text
from loans.files.kind_types import Check, Column, Kind
from loans.values.errors import bilingual
from loans.values.papers import PAPER_KINDS

PAPERS = Kind(
    name="papers",
    title_zh="资料",
    klass="evidence",
    columns=(
        INSTITUTION,
        text("note_number", "借据号", required=False),
        Column("scheme_code", "贴息政策", "scheme_code", required=False, default=""),
        choice("kind", "资料种类", PAPER_KINDS),
        text("archive_number", "档案号"),
        day("dated_on", "文件日期", required=False),
        text("sha256", "文件摘要", required=False),
    ),
    key=("institution_code", "note_number", "scheme_code", "kind", "archive_number"),
    checks=(
        Check(
            "scheme_code",
            bilingual(
                "借据的资料不分政策；只有机构自身的资料（借据号为空）填写政策",
                "a note's paper serves every scheme: only an institution's own names one",
            ),
            (pl.col("note_number").fill_null("") != "")
            & (pl.col("scheme_code").fill_null("") != ""),
        ),
        Check(
            "sha256",
            bilingual("文件摘要应为 64 位十六进制 sha256", "must be a sha256 of 64 hex digits"),
            (pl.col("sha256").fill_null("") != "")
            & ~pl.col("sha256").fill_null("").str.contains("^[0-9a-fA-F]{64}$"),
        ),
    ),
)
