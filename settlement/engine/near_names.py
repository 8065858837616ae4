"""What is an enterprise called, once the ways of writing a name no longer differ?

A name in the register has four parts (企业名称登记管理规定 art. 6): region, trade name, industry, form.
Trade name and industry stay together as the core: nothing but a dictionary could part them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import polars as pl
from opencc import OpenCC
from stdnum import numdb

CORE_CHARACTERS = 3  # a region is a prefix only if so much is left: 南通机床 is no 机床 of 南通
NAMES_KEPT = 200_000

LIMITED, JOINT_STOCK, WORKS, PARTNERSHIP, SOLE, COOPERATIVE, OTHER = (
    "limited", "joint_stock", "works", "partnership", "sole", "cooperative", "other",
)  # fmt: skip
_FORMS = {
    "股份有限责任公司": JOINT_STOCK, "股份有限公司": JOINT_STOCK, "股份公司": JOINT_STOCK,
    "有限责任公司": LIMITED, "有限公司": LIMITED, "总公司": LIMITED, "公司": LIMITED,
    "有限合伙企业": PARTNERSHIP, "普通合伙企业": PARTNERSHIP, "合伙企业": PARTNERSHIP,
    "个体工商户": SOLE, "个人独资企业": SOLE, "经营部": SOLE, "商行": SOLE, "门市部": SOLE,
    "工作室": SOLE, "专业合作社": COOPERATIVE, "合作社": COOPERATIVE, "总厂": WORKS, "厂": WORKS,
}  # fmt: skip
_BRACKETED_FORMS = {
    "有限合伙": PARTNERSHIP, "普通合伙": PARTNERSHIP, "特殊普通合伙": PARTNERSHIP,
    "个人独资": SOLE, "个体工商户": SOLE,
}  # fmt: skip
_GROUPS = ("企业集团", "集团")
_BRACKETS = str.maketrans("【】〔〕［］[]{}〈〉《》「」『』<>", "()()()()()()()()()()")
_BRACKETED = re.compile(r"\(([^()]*)\)")
_FORMER = re.compile(r"\((?:原名?|曾用名?|前身|旧名):?(.{4,})\)")
_UNTOLD = {
    "暂无",
    "不详",
    "未知",
    "详见清单",
    "详见发票",
    "见清单",
    "见附件",
}  # what stands for a supplier
_SILENT = re.compile(r"[^\w]|_")
_UNITS = (
    "壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "特别行政区", "地区", "新区", "省", "市", "区",
    "县", "盟",
)  # fmt: skip
_DATED = re.compile(r"\[[^\]]*\]")
_ENDED = re.compile(r"\[\d*-\d+\]")
_LONGEST_REGION = 12


@dataclass(frozen=True)
class Name:
    """One name in its parts; `regions` are the codes (GB/T 2260) its region may have, none if silent.

    `group`: 集团, which tells a parent from its daughters. `former`: a former name told in brackets.
    """

    core: str
    form: str
    group: bool
    regions: frozenset[str]
    former: str = ""


@cache
def _simplify() -> OpenCC:
    return OpenCC("t2s")


def plain(text: str) -> str:
    """Text in one width, case, script (simplified) and kind of bracket."""
    narrow = unicodedata.normalize("NFKC", text).upper().translate(_BRACKETS)
    return str(_simplify().convert(narrow))


def _bare(region: str) -> str:
    """A region without its unit: 江苏省 → 江苏; names of one character keep theirs."""
    for unit in _UNITS:
        if region.endswith(unit) and len(region) - len(unit) >= 2:
            return region.removesuffix(unit)
    return region


@cache
def _regions() -> dict[str, frozenset[str]]:
    """Every region as it may be written, with and without any unit → its codes of 2, 4 or 6 digits.

    Regions that changed their unit (海门市, 海门区) are one; abolished ones still stand in names, by the
    codes of today if there are any.
    """
    codes: dict[str, set[str]] = {}
    abolished: dict[str, set[str]] = {}
    for _, province, _, entry, counties in numdb.get("cn/loc").prefixes:
        codes.setdefault(_bare(plain(entry["province"])), set()).add(province)
        for _, county, _, place, _ in counties:
            code = province + (county[:2] if county.endswith("00") else county)
            for dated in place.get("county", "").split(","):
                name = _bare(plain(_DATED.sub("", dated)))
                if county != "0000" and len(name) >= 2:
                    (abolished if _ENDED.match(dated) else codes).setdefault(name, set()).add(code)
    codes.pop("市辖", None)
    return {
        name + unit: frozenset(found)
        for name, found in (abolished | codes).items()
        for unit in (*_UNITS, "")
    }


def _region_at_start(text: str) -> tuple[str, frozenset[str]]:
    """The longest region that a text begins with, as written, and its codes."""
    known = _regions()
    for length in range(min(_LONGEST_REGION, len(text)), 1, -1):
        if text[:length] in known:
            return text[:length], known[text[:length]]
    return "", frozenset()


def _within(inner: frozenset[str], outer: frozenset[str]) -> frozenset[str]:
    """Those of `inner` that lie in some region of `outer`."""
    return frozenset(code for code in inner if any(code.startswith(one) for one in outer))


def _led(text: str, regions: frozenset[str]) -> tuple[frozenset[str], str]:
    """The regions that a text begins with, each within the one before or around it, and what is left.

    `regions`: what is known from brackets. A trade name that is also a county (东方, 长安) is taken for
    one: names then agree only if it does.
    """
    while True:
        start, codes = _region_at_start(text)
        if regions:
            codes = _within(codes, regions) or (_within(regions, codes) and regions)
        if not codes or len(text) - len(start) < CORE_CHARACTERS:
            return regions, text
        regions, text = codes, text[len(start) :]


def _formed(text: str) -> tuple[str, str, bool]:
    """What is left of a text without its legal form, the form, and whether it is a group."""
    form = OTHER
    for suffix, kind in _FORMS.items():
        if text.endswith(suffix) and len(text) > len(suffix):
            text, form = text.removesuffix(suffix), kind
            break
    for suffix in _GROUPS:
        if text.endswith(suffix) and len(text) > len(suffix):
            return text.removesuffix(suffix), form, True
    return text, form, False


@lru_cache(maxsize=NAMES_KEPT)
def parts(name: str) -> Name:
    """A name in its parts."""
    return _parted(plain(name))


def _parted(text: str) -> Name:
    """As `parts`, of a text that is plain already."""
    told = _FORMER.search(text)
    if told:
        text = text.replace(told.group(), "")
    regions: frozenset[str] = frozenset()
    bracketed_form, group = "", False
    outside = _BRACKETED.sub("", text)
    for inside in _BRACKETED.findall(text):
        start, codes = _region_at_start(inside)
        if inside in _BRACKETED_FORMS:
            bracketed_form = _BRACKETED_FORMS[inside]
        elif inside in _GROUPS:
            group = True
        elif start == inside and codes:
            regions = codes
        else:
            outside = text  # something else that belongs to the name
    core, form, is_group = _formed(_SILENT.sub("", outside))
    regions, core = _led(core, regions)
    former = told.group(1) if told else ""
    return Name(core, bracketed_form or form, group or is_group, regions, former)


def _readings(text: str) -> list[tuple[Name, bool]]:
    """The ways to read a plain name; whether it is a former one.

    A county that leads without its unit may be the trade name (长泰, 东方): then it is part of the core.
    """
    one = _parted(text)
    found = [(one, False)]
    led = text.removesuffix(text[text.find(one.core) :])
    if led in _regions() and all(len(code) > 4 for code in one.regions):
        found.append((replace(one, core=led + one.core, regions=frozenset()), False))
    if one.former:
        old = _parted(one.former)
        found.append((replace(old, regions=old.regions or one.regions), True))
    return found


def parted(names: Iterable[str]) -> pl.DataFrame:
    """Unique names with their parts as columns (`regions`: codes joined), one row for each way to read them."""
    unique = sorted({name for name in names if name.strip()})
    if not unique:
        return pl.DataFrame(schema=PARTS)
    # One call for all: the converter's own cost is per call, and a name has no line break.
    texts = (
        plain("\n".join(name.replace("\n", " ") for name in unique)).split("\n") if unique else []
    )
    found = [
        (name, one.core, one.form, one.group, ";".join(sorted(one.regions)), former)
        for name, text in zip(unique, texts, strict=True)
        for one, former in _readings(text)
    ]
    return pl.DataFrame(found, schema=PARTS, orient="row").filter(pl.col("core") != "")


PARTS: dict[str, type[pl.DataType]] = {
    "name": pl.String,
    "core": pl.String,
    "form": pl.String,
    "group": pl.Boolean,
    "regions": pl.String,
    "former": pl.Boolean,
}


@lru_cache(maxsize=NAMES_KEPT)
def region_relation(one: str, other: str) -> str:
    """How two names' regions (codes joined by ;) stand: same, silent, within or conflict."""
    first, second = (
        frozenset(filter(None, one.split(";"))),
        frozenset(filter(None, other.split(";"))),
    )
    if first & second or first == second:
        return "same"
    if not first or not second:
        return "silent"
    return "within" if _within(first, second) or _within(second, first) else "conflict"


def canonical(name: str) -> str:
    """A name such that two ways of writing one name are equal, to compare suppliers with; "" if it tells none."""
    one = parts(name)
    if len(one.core) < 2 or one.core in _UNTOLD:
        return ""
    return "|".join((one.core, one.form, str(int(one.group)), ";".join(sorted(one.regions))))
