"""N3: two enterprises under different credit codes that may be one (near P3).

Candidates share the core of their names and the province of their codes, or a core but for a character
and with it something that is rarely equal by chance. Each pair is judged on the two alone, so no
bound on the size of a block is needed that others could move.
"""

from __future__ import annotations

import re
from functools import lru_cache

import polars as pl
from rapidfuzz.distance import OSA
from stdnum.cn import uscc as codes

from settlement.engine import near_names, near_numbers, near_scores, overlap
from settlement.engine.near_scores import ENTERPRISE

OFFICE = slice(2, 8)  # the registering office's region in a credit code
PROVINCE = (2, 2)  # where the province stands in a credit code, and its length
REGISTERED = (0, 8)  # category and region, before the organisation's own number
ORGANISATION_HALVES = ((8, 4), (13, 5))
CODE_CHARACTERS = 2  # so many wrong in a credit code at most, and it then fails its check
TELLING_CHARACTERS = 8  # shorter contract and project numbers repeat between banks
CORE_CHARACTERS = 4  # of shorter cores a character is too large a part
LONG_CORE_CHARACTERS = 6  # of these even two
START_CHARACTERS = 3  # the trade name, where the industry is written in full or not
COUNTED = "[0-9A-Z一二三四五六七八九十东西南北新老甲乙丙丁]"  # what tells sisters apart
_COUNTED = re.compile(COUNTED)

PAIRS: dict[str, type[pl.DataType]] = {
    "first": pl.Int64,
    "second": pl.Int64,
    **dict.fromkeys(ENTERPRISE, pl.String),
    "points": pl.Int64,
    "score_permille": pl.Int64,
}


def link_keys(notes: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """`enterprise_id`, `key` (hashed): enterprises that may be one have a key in common."""
    return _keys(_named(notes, names), _facts(notes))


def _keys(named: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    province = named.select(
        "enterprise_id",
        key=pl.format("core|{}|{}", "core", pl.col("uscc").str.slice(*PROVINCE)).hash(),
    )
    return pl.concat([province, _beside(named, facts)]).unique()


def near_enterprises(
    notes: pl.DataFrame, names: pl.DataFrame, invoices: pl.DataFrame
) -> pl.DataFrame:
    """Pairs of enterprises with notes that may be one, with each field's relation and `score_permille`.

    All pairs, not neighbours: each is a question about two enterprises, and which are asked about must
    not depend on a third. `first` has the earlier first note in D4's order.
    """
    named = _named(notes, names)
    facts = _facts(notes)
    shared = facts.filter(pl.len().over("fact") > 1)  # what only one has joins nobody
    keyed = _keys(named, shared)
    keyed = keyed.filter(pl.len().over("key") > 1)
    pairs = (
        keyed.join(keyed, on="key", suffix="_2")
        .filter(pl.col("enterprise_id") < pl.col("enterprise_id_2"))
        .select("enterprise_id", "enterprise_id_2")
        .unique()
    )
    pairs = pairs.join(_exact(pairs, named), on=["enterprise_id", "enterprise_id_2"], how="anti")
    faced = _faced(pairs, named)
    faced = faced.with_columns(
        points=near_scores.points({f: ENTERPRISE[f] for f in ("core", "form", "region", "code")})
    ).filter(pl.col("points") >= near_scores.THRESHOLD_POINTS - _MOST_BESIDE)
    return _in_order(_scored(faced, notes, invoices), notes)


_BESIDE = ("note", "contract", "project", "supplier")
_MOST_BESIDE = sum(max(ENTERPRISE[field].values()) for field in _BESIDE)


def _named(notes: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Enterprises with notes, their codes and the parts of every name; rows per name."""
    owners = notes.select("enterprise_id", "uscc").unique("enterprise_id")
    owned = owners.join(names.select("enterprise_id", "name").unique(), on="enterprise_id")
    parts = near_names.parted(owned["name"].to_list())
    return owned.join(parts, on="name")


def _beside(named: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Keys of cores but for a character, each with something that is rarely equal by chance.

    What tells sisters apart stays whole: 样例12 and 样例13 have no key in common.
    """
    cores = named.select("enterprise_id", "core", "uscc").unique()
    cores = cores.with_columns(
        words=pl.col("core").str.replace_all(COUNTED, ""),
        counted=pl.col("core").str.extract_all(COUNTED).list.join(""),
    )
    kept = ["enterprise_id", "uscc", "counted"]
    long_enough = cores.filter(pl.col("core").str.len_chars() >= CORE_CHARACTERS)
    started = cores.select(*kept, key=pl.col("words").str.head(START_CHARACTERS))
    shapes = (
        pl.concat([near_numbers.variants(long_enough, "words", kept), started])
        .select("enterprise_id", "uscc", key=pl.format("{}|{}", "key", "counted"))
        .unique()
    )
    code = pl.col("uscc")
    halves = [
        shapes.select(
            "enterprise_id",
            key=pl.format(
                f"code{start}|{{}}|{{}}|{{}}",
                "key",
                code.str.slice(*REGISTERED),
                code.str.slice(start, length),
            ).hash(),
        )
        for start, length in ORGANISATION_HALVES
    ]
    told = shapes.join(facts, on="enterprise_id").select(
        "enterprise_id", key=pl.format("told|{}|{}", "key", "fact").hash()
    )
    return pl.concat([*halves, told])


def _facts(notes: pl.DataFrame) -> pl.DataFrame:
    """Contract, project and note numbers of enterprises."""
    columns = ("contract_number", "project_code", "note_number")
    return pl.concat([_told(notes, column) for column in columns])


def _told(notes: pl.DataFrame, column: str) -> pl.DataFrame:
    """Numbers long enough to tell, as facts of their enterprise."""
    return (
        notes.select(
            "enterprise_id",
            fact=pl.format(f"{column}|{{}}", near_numbers.folded(overlap.normal(column))),
        )
        .filter(pl.col("fact").str.len_chars() >= TELLING_CHARACTERS + len(column) + 1)
        .unique()
    )


def _faced(pairs: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Pairs with the best of their names side by side, and how these and the codes stand."""
    second = named.rename({column: f"{column}_2" for column in named.columns})
    sides = pairs.join(named, on="enterprise_id").join(second, on="enterprise_id_2")
    found = sides.with_columns(
        core=_looked_up(sides, "core", core_relation),
        region=_regions(sides),
        code=_codes(sides),
        form=pl.when(pl.col("group") != pl.col("group_2"))
        .then(pl.lit("group"))
        .when(pl.col("form") == pl.col("form_2"))
        .then(pl.lit("equal"))
        .otherwise(pl.lit("differ")),
    )
    named_points = near_scores.points(
        {f: ENTERPRISE[f] for f in ("core", "form", "region", "code")}
    )
    return (
        found.filter(pl.col("core") != "differ")
        .with_columns(points=named_points)
        .sort("enterprise_id", "enterprise_id_2", "points", "name", "name_2",
              descending=[False, False, True, False, False])
        .unique(["enterprise_id", "enterprise_id_2"], keep="first", maintain_order=True)
    )  # fmt: skip


def _regions(sides: pl.DataFrame) -> pl.Series:
    """How the names' regions stand; `here` if one says none, and one office in the other's has registered both."""
    found = []
    for *regions, one, other in sides.select("regions", "regions_2", "uscc", "uscc_2").iter_rows():
        how = near_names.region_relation(*regions)
        office, other_office = one[OFFICE], other[OFFICE]
        told = [code for region in regions for code in region.split(";") if code]
        registered = office == other_office and any(office.startswith(code) for code in told)
        found.append("here" if how == "silent" and registered else how)
    return pl.Series(found, dtype=pl.String)


def _codes(sides: pl.DataFrame) -> pl.Series:
    """How the credit codes stand; of two that pass their check nothing needs to be compared."""
    known = pl.concat([sides["uscc"], sides["uscc_2"]]).unique().to_list()
    failing = [code for code in known if not _valid(code)]
    doubtful = pl.col("uscc").is_in(failing) | pl.col("uscc_2").is_in(failing)
    told = sides.select("uscc", "uscc_2").filter(doubtful).unique()
    how = [code_relation(a, b) for a, b in told.iter_rows()]
    told = told.with_columns(code=pl.Series(how, dtype=pl.String))
    both = sides.select("uscc", "uscc_2").join(
        told, on=["uscc", "uscc_2"], how="left", maintain_order="left"
    )
    return both["code"].fill_null("differ")


def _looked_up(sides: pl.DataFrame, column: str, relation: object) -> pl.Series:
    pairs = sides.select(one=column, other=f"{column}_2").unique()
    assert callable(relation)
    told = pairs.with_columns(
        pl.Series("told", [relation(a, b) for a, b in pairs.iter_rows()], dtype=pl.String)
    )
    return sides.select(one=column, other=f"{column}_2").join(
        told, on=["one", "other"], how="left", maintain_order="left"
    )["told"]


def core_relation(one: str, other: str) -> str:
    """How the cores of two names stand: equal, near or differ.

    Numbers, letters, points of the compass and the like tell sisters apart and are never a slip.
    """
    if one == other:
        return "equal"
    shorter = min(len(one), len(other))
    if shorter < START_CHARACTERS or _COUNTED.findall(one) != _COUNTED.findall(other):
        return "differ"
    if one.startswith(other) or other.startswith(one):
        return "near"
    if shorter < CORE_CHARACTERS:
        return "differ"
    allowed = 2 if shorter >= LONG_CORE_CHARACTERS else 1
    return "near" if OSA.distance(one, other, score_cutoff=allowed) <= allowed else "differ"


def code_relation(one: str, other: str) -> str:
    """Whether one credit code is the other mistyped: hardly another, and one of them fails its check."""
    if OSA.distance(one, other, score_cutoff=CODE_CHARACTERS) > CODE_CHARACTERS:
        return "differ"
    return "differ" if _valid(one) and _valid(other) else "mistyped"


@lru_cache(maxsize=near_names.NAMES_KEPT)
def _valid(code: str) -> bool:
    return bool(codes.is_valid(code))


def _exact(pairs: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Pairs that P3 has: one name, or one organisation number."""
    organisation = pl.col("uscc").str.slice(*overlap.ORGANISATION)
    known = [
        named.select("enterprise_id", fact=pl.format(f"{by}|{{}}", value)).unique()
        for by, value in (("name", overlap.normal("name")), ("code", organisation))
    ]
    return _shared(pairs, pl.concat(known))


def _scored(faced: pl.DataFrame, notes: pl.DataFrame, invoices: pl.DataFrame) -> pl.DataFrame:
    """Pairs with what stands beside the names, from the threshold on."""
    pairs = faced.select("enterprise_id", "enterprise_id_2")
    by = ["enterprise_id", "enterprise_id_2"]
    bought = invoices.join(notes.select("note_id", "enterprise_id"), on="note_id").filter(
        overlap.normal("supplier") != ""
    )
    facts = {
        "note": _notes_agree(pairs, notes),
        "contract": _shared(pairs, _told(notes, "contract_number")),
        "project": _shared(pairs, _told(notes, "project_code")),
        "supplier": _shared(
            pairs,
            bought.select(
                "enterprise_id",
                fact=pl.format("{}|{}", overlap.normal("supplier"), "amount_fen"),
            ).unique(),
        ),
    }
    for field, found in facts.items():
        faced = faced.join(
            found.select(*by, pl.col("told").alias(field)), on=by, how="left", maintain_order="left"
        ).with_columns(pl.col(field).fill_null("none"))
    return (
        faced.with_columns(points=near_scores.points(ENTERPRISE))
        .filter(pl.col("points") >= near_scores.THRESHOLD_POINTS)
        .with_columns(score_permille=near_scores.permille("points"))
    )


def _shared(pairs: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Pairs of which both have one fact."""
    other = facts.rename({"enterprise_id": "enterprise_id_2"})
    return (
        pairs.join(facts, on="enterprise_id")
        .join(other, on=["enterprise_id_2", "fact"])
        .select("enterprise_id", "enterprise_id_2", told=pl.lit("equal"))
        .unique()
    )


def _notes_agree(pairs: pl.DataFrame, notes: pl.DataFrame) -> pl.DataFrame:
    """Pairs with a note each of one amount and one day (`equal`) or a week apart (`close`).

    With round amounts that is common among strangers: it speaks only beside the name.
    """
    facts = notes.select("enterprise_id", "principal_fen", "drawn_on", "note_number").unique()
    other = facts.rename({c: f"{c}_2" for c in facts.columns if c != "principal_fen"})
    close = (
        pairs.join(facts, on="enterprise_id")
        .join(other, on=["enterprise_id_2", "principal_fen"])
        .with_columns(day=near_scores.days("drawn_on", "drawn_on_2"))
        .filter(pl.col("day").is_in(["equal", "close"]))
    )
    number = near_scores.relations(close, "note_number", "note_number_2")
    same = number.is_in([near_numbers.EQUAL, *near_numbers.MISTYPED])
    return (
        close.with_columns(told=pl.when(same).then(pl.lit("equal")).otherwise(pl.lit("close")))
        .sort("told", descending=True)
        .unique(["enterprise_id", "enterprise_id_2"], keep="first", maintain_order=True)
    )


def _in_order(pairs: pl.DataFrame, notes: pl.DataFrame) -> pl.DataFrame:
    """Pairs with the enterprise of the earlier first note first."""
    ranks = (
        notes.sort(*overlap.ORDER)
        .unique("enterprise_id", keep="first", maintain_order=True)
        .select("enterprise_id")
        .with_row_index("rank")
    )
    other = ranks.rename({"enterprise_id": "enterprise_id_2", "rank": "rank_2"})
    earlier = pl.col("rank") < pl.col("rank_2")
    return (
        pairs.join(ranks, on="enterprise_id")
        .join(other, on="enterprise_id_2")
        .with_columns(
            first=pl.when(earlier).then("enterprise_id").otherwise("enterprise_id_2"),
            second=pl.when(earlier).then("enterprise_id_2").otherwise("enterprise_id"),
        )
        .sort(pl.min_horizontal("rank", "rank_2"), pl.max_horizontal("rank", "rank_2"))
        .select(*PAIRS)
    )
