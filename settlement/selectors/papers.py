"""Papers: what the schemes in force ask for, what is there, and what is missing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from config.kernel.services.bulk import read_frame, rows
from config.kernel.services.export import Field, Register
from loans.values.papers import PAPER_KINDS

_IN_FORCE = """(
    SELECT DISTINCT ON (v.scheme_id) v.id, s.code FROM settlement_schemeversion v
    JOIN settlement_scheme s ON s.id = v.scheme_id
    WHERE v.checked_by IS NOT NULL ORDER BY v.scheme_id, v.version DESC)"""
_LIVE = "NOT EXISTS (SELECT FROM loans_paperwithdrawal w WHERE w.paper_id = x.id)"
# An institution's paper serves those below it; over {place}, {kind} and {scheme}.
_LETTER = f"""EXISTS (
    SELECT FROM loans_paper x JOIN kernel_institution o ON o.id = x.institution_id
    WHERE x.note_id IS NULL AND x.kind = {{kind}} AND x.scheme_code IN ('', {{scheme}})
        AND {{place}} BETWEEN o.id AND o.last_id AND {_LIVE})"""


@dataclass(frozen=True)
class Asked:
    """A paper that a scheme in force asks for; `per` is note or institution."""

    scheme_code: str
    kind: str
    per: str
    with_equipment: bool
    blocks: bool
    say_zh: str
    say_en: str
    article: str
    assumed_because: str


@dataclass(frozen=True)
class HeldPaper:
    """A paper that counts for a note: its own, or one of an institution it belongs to."""

    id: int
    kind: str
    scheme_code: str
    is_own: bool
    archive_number: str
    file_name: str
    made_by: str
    made_at: object


@dataclass(frozen=True)
class InstitutionGap:
    """An institution that takes part in a scheme and has not given the paper it asks for."""

    scheme_code: str
    kind: str
    institution_id: int
    institution_name: str
    say_zh: str
    say_en: str
    article: str


def asked() -> list[Asked]:
    """Every paper asked for by the schemes in force, in the order of their files."""
    found = rows(
        "SELECT f.code, r.kind, r.per, r.with_equipment, r.blocks, r.say_zh, r.say_en, r.article,"
        f" r.assumed_because FROM {_IN_FORCE} f JOIN settlement_paperrule r ON r.version_id = f.id"
        " ORDER BY f.code, r.position"
    )
    return [Asked(*row) for row in found]


def held_by_note(*, note_id: int) -> list[HeldPaper]:
    """Papers that count for a note, oldest first, withdrawn ones left out."""
    found = rows(
        f"""
        SELECT x.id, x.kind, x.scheme_code, x.note_id IS NOT NULL, x.archive_number, x.file_name,
            x.made_by, x.made_at
        FROM loans_paper x WHERE x.note_id = %(note)s AND {_LIVE}
        UNION ALL
        SELECT x.id, x.kind, x.scheme_code, false, x.archive_number, x.file_name, x.made_by, x.made_at
        FROM loans_note n JOIN kernel_institution o ON n.institution_id BETWEEN o.id AND o.last_id
        JOIN loans_paper x ON x.institution_id = o.id AND x.note_id IS NULL
        WHERE n.id = %(note)s AND {_LIVE}
        ORDER BY 1
        """,
        {"note": note_id},
    )
    return [HeldPaper(*row) for row in found]


def missing_of(*, note_ids: Collection[int]) -> pl.DataFrame:
    """What these notes lack: note_id, scheme_code, missing (kinds joined by `;`)."""
    return read_frame(
        "SELECT note_id, scheme_code, loans_paper_kinds(lacking) FROM settlement_papergap"
        " WHERE note_id = ANY(%(ids)s) ORDER BY 1, 2",
        {"ids": list(note_ids)},
        schema={"note_id": pl.Int64, "scheme_code": pl.String, "missing": pl.String},
    )


def notes_lacking(*, scope: tuple[int, int]) -> int:
    """How many notes × schemes of these institutions lack papers."""
    found = rows(
        "SELECT count(*) FROM settlement_papergap WHERE institution_id BETWEEN %s AND %s", scope
    )
    return int(found[0][0])


def institution_gaps(*, scope: tuple[int, int]) -> list[InstitutionGap]:
    """Papers that participating institutions of this scope have not given."""
    letter = _LETTER.format(place="i.id", kind="r.kind", scheme="f.code")
    found = rows(
        f"""
        SELECT DISTINCT f.code, r.kind, i.id, i.name, r.say_zh, r.say_en, r.article
        FROM {_IN_FORCE} f JOIN settlement_paperrule r ON r.version_id = f.id
        JOIN loans_participation p ON p.scheme_code = f.code
        JOIN kernel_institution i ON i.id = p.institution_id
        WHERE r.per = 'institution' AND i.id BETWEEN %s AND %s AND NOT {letter}
        ORDER BY f.code, i.id, r.kind
        """,
        scope,
    )
    return [InstitutionGap(*row) for row in found]


def blocking(*, plan_id: int, limit: int) -> Sequence[tuple[str, str]]:
    """Note number and kind of papers without which a plan may not be checked, the first few."""
    letter = _LETTER.format(place="n.institution_id", kind="r.kind", scheme="f.code")
    found = rows(
        f"""
        SELECT DISTINCT n.note_number, r.kind FROM settlement_planneddeduction d
        JOIN settlement_scheme s ON s.id = d.scheme_id
        JOIN {_IN_FORCE} f ON f.code = s.code
        JOIN settlement_paperrule r ON r.version_id = f.id AND r.blocks
        JOIN loans_note n ON n.id = d.note_id
        LEFT JOIN loans_papershelf h ON h.note_id = n.id
        WHERE d.plan_id = %s AND d.state = 'planned' AND CASE r.per
            WHEN 'note' THEN (n.equipment_fen > 0 OR NOT r.with_equipment)
                AND coalesce(h.held, 0) & loans_paper_bit(r.kind) = 0
            ELSE NOT {letter} END
        ORDER BY 1, 2 LIMIT %s
        """,
        [plan_id, limit],
    )
    return [(number, kind) for number, kind in found]


def files_of(
    *, note_ids: Collection[int], scheme_code: str | None, scope: tuple[int, int]
) -> list[tuple[str, str]]:
    """(sha256, file name) of attached papers of these notes and of the scope's institutions.

    `scheme_code` narrows the institutions' own. Withdrawn papers too: what was once shown as proof is
    looked at as well. One content is named once.
    """
    found = rows(
        "SELECT DISTINCT ON (x.sha256) x.sha256, x.file_name FROM loans_paper x"
        " WHERE x.size_bytes IS NOT NULL AND x.institution_id BETWEEN %s AND %s"
        " AND (x.note_id = ANY(%s) OR x.note_id IS NULL AND"
        " (%s::text IS NULL OR x.scheme_code IN ('', %s))) ORDER BY x.sha256, x.id",
        [*scope, list(note_ids), scheme_code, scheme_code],
    )
    return [(sha256, name) for sha256, name in found]


def attached() -> list[tuple[int, str, str]]:
    """Every attached paper: its id, the sha256 of its file, what the file is called."""
    found = rows("SELECT id, sha256, file_name FROM loans_paper WHERE size_bytes > 0 ORDER BY id")
    return [(int(pk), sha256, name) for pk, sha256, name in found]


def wrong_shelves() -> list[int]:
    """Notes whose kinds of papers on record are not those of their papers; none, if triggers held."""
    found = rows(
        f"""
        SELECT coalesce(s.note_id, p.note_id) FROM loans_papershelf s FULL JOIN (
            SELECT x.note_id, coalesce(bit_or(loans_paper_bit(x.kind)) FILTER (WHERE {_LIVE}), 0) AS held
            FROM loans_paper x WHERE x.note_id IS NOT NULL GROUP BY x.note_id
        ) p ON p.note_id = s.note_id
        WHERE s.held IS DISTINCT FROM p.held ORDER BY 1
        """
    )
    return [int(note_id) for (note_id,) in found]


def kind_name(code: str) -> str:
    """What a kind of paper is called in Chinese."""
    return PAPER_KINDS.get(code, code)


_NOTE = "n.note_number"
_MOMENT = "({}.made_at AT TIME ZONE 'Asia/Shanghai')::timestamp(0)::text"
PAPER_REGISTER = Register(
    name="paper-register",
    title_zh="资料台账",
    fields=(
        Field("paper", "资料号", "int", "t.id"),
        Field("institution_code", "机构编码", "text", "i.code"),
        Field("note_number", "借据号", "text", _NOTE),
        Field("scheme_code", "贴息政策", "text", "t.scheme_code"),
        Field("kind", "资料种类", "text", "t.kind"),
        Field("archive_number", "档案号", "text", "t.archive_number"),
        Field("dated_on", "文件日期", "date", "t.dated_on"),
        Field("file_name", "文件名", "text", "t.file_name"),
        Field("bytes", "字节数", "int", "t.size_bytes"),
        Field("sha256", "文件摘要", "text", "t.sha256"),
        Field("made_by", "经办", "text", "t.made_by"),
        Field("made_at", "登记时间", "text", _MOMENT.format("t")),
        Field("withdrawn_by", "撤回人", "text", "w.made_by"),
        Field("withdrawn_at", "撤回时间", "text", _MOMENT.format("w")),
        Field("withdrawn_why", "撤回原因", "text", "w.why"),
    ),
    source="loans_paper t LEFT JOIN loans_note n ON n.id = t.note_id "
    "JOIN kernel_institution i ON i.id = coalesce(n.origin_id, t.institution_id) "
    "LEFT JOIN loans_paperwithdrawal w ON w.paper_id = t.id",
    order="t.id",
    scope="t.institution_id",
)
MISSING_REGISTER = Register(
    name="missing-papers",
    title_zh="缺资料借据",
    fields=(
        Field("scheme_code", "贴息政策", "text", "t.scheme_code"),
        Field("institution_code", "机构编码", "text", "i.code"),
        Field("note_number", "借据号", "text", _NOTE),
        Field("missing", "缺少的资料", "text", "loans_paper_kinds(t.lacking)"),
        Field("held", "已有资料", "text", "loans_paper_kinds(t.held)"),
    ),
    source="settlement_papergap t JOIN loans_note n ON n.id = t.note_id "
    "JOIN kernel_institution i ON i.id = n.origin_id",
    order="t.scheme_code, i.code, n.note_number",
    scope="t.institution_id",
    filters={"scheme": "t.scheme_code = %(scheme)s"},
)
