"""The register's columns: which article asks for each."""

from __future__ import annotations

import re

from reports.definitions.register_columns import REGISTER

NAMES = {
    "number", "scheme_zh", "scheme_code", "version", "institution_code", "institution_name", "uscc",
    "project_code", "project_name", "contract_number", "note_number", "matures_on", "currency",
    "exchange_rate_e8", "period_start", "period_end", "reference", "state", "remark",
}  # fmt: skip
ARTICLE = re.compile(r"[1247]号 [一二三四七八九()12、]+")


def test_every_column_but_names_says_which_articles_ask_for_it() -> None:
    assert {column.key for column in REGISTER if not column.article} == NAMES
    for column in REGISTER:
        assert all(ARTICLE.fullmatch(one) for one in column.article.split("；") if one), column.key


def test_amounts_rates_and_caps_stand_on_their_own_articles() -> None:
    articles = {column.key: column.article for column in REGISTER}
    assert articles["whole_central_fen"] == articles["rate_central"]
    assert articles["rate_central"] == "4号 一(三)；2号 一；7号 (三)1；1号 二(二)"
    assert articles["eligible_fen"] == "4号 一(三)；2号 一；7号 (三)1；1号 一(二)"
    assert articles["cut_municipal_fen"] == "4号 一(三)；7号 (三)1、2；1号 一(二)、二(二)"
    assert (
        articles["central_fen"]
        == articles["net_paid_fen"]
        == "4号 二(二)；2号 七；7号 (九)；1号 二(四)"
    )
    assert articles["duplicates"] == "4号 三(三)；2号 八；7号 (三)1；1号 二(二)"
