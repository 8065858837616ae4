"""Enterprise names and numbers, as they are told apart from others that only look alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.engine import (
    near_enterprises,
    near_names,
    near_numbers,
    near_scores,
    near_words,
)

NAMES = {
    "江苏省南通市華東機械有限責任公司": ("华东机械", "limited", False, {"3206"}, ""),
    "南通华东机械股份有限公司": ("华东机械", "joint_stock", False, {"3206"}, ""),
    "华东机械（江苏）有限公司": ("华东机械", "limited", False, {"32"}, ""),
    "华东机械【江苏】有限公司": ("华东机械", "limited", False, {"32"}, ""),
    "华东机械集团有限公司": ("华东机械", "limited", True, set(), ""),
    "华东机械(集团)有限公司": ("华东机械", "limited", True, set(), ""),
    "样例机械１２有限公司": ("样例机械12", "limited", False, set(), ""),
    "南通机床有限公司": ("南通机床", "limited", False, set(), ""),
    "南京江宁区长江机床厂": ("长江机床", "works", False, {"320115"}, ""),
    "南通海门宏达机械厂": ("宏达机械", "works", False, {"320614"}, ""),
    "南通（海门）机床有限公司": ("南通机床", "limited", False, {"320614"}, ""),
    "东方纺织机械有限公司": ("纺织机械", "limited", False, {"469007"}, ""),
    "苏州东方纺织机械有限公司": ("东方纺织机械", "limited", False, {"3205"}, ""),
    "张江创投合伙企业（有限合伙）": ("张江创投", "partnership", False, set(), ""),
    "内蒙古伊利实业集团股份有限公司": ("伊利实业", "joint_stock", True, {"15"}, ""),
    "无锡海达电子有限公司（原无锡海达（江苏）机械厂）": (
        "海达电子", "limited", False, {"3202"}, "无锡海达(江苏)机械厂",
    ),
    "": ("", "other", False, set(), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_has_four_parts(name: str) -> None:
    one = near_names.parts(name)
    told = (one.core, one.form, one.group, {*one.regions}, one.former)
    assert told == NAMES[name]


def test_a_county_in_front_is_read_both_ways_and_a_former_name_is_a_name() -> None:
    found = near_names.parted(["长泰重工机械有限公司", "如皋宏达机械厂（原南通宏达机床厂）"])
    assert set(found.select("core", "regions", "former").iter_rows()) == {
        ("重工机械", "350605", False), ("长泰重工机械", "", False),
        ("宏达机械", "320682", False), ("如皋宏达机械", "", False), ("宏达机床", "3206", True),
    }  # fmt: skip


def test_regions_agree_lie_within_or_exclude_each_other() -> None:
    def how(one: str, other: str) -> str:
        parted = [";".join(sorted(near_names.parts(n).regions)) for n in (one, other)]
        assert near_names.region_relation(*parted) == near_names.region_relation(*parted[::-1])
        return near_names.region_relation(*parted)

    assert how("南通市宏达机械厂", "宏达机械（南通）厂") == "same"
    assert how("江苏宏达机械厂", "南通宏达机械厂") == "within"
    assert how("南京宏达机械厂", "苏州宏达机械厂") == "conflict"
    assert how("宏达机械厂", "苏州宏达机械厂") == "silent"


@pytest.mark.parametrize(
    ("one", "other", "how"),
    [
        ("华东机械", "华东机械", "equal"), ("海宏机械", "海鸿机械", "near"), ("华东机械", "华冬机械", "differ"),
        ("华东机械", "华东机械制造", "near"), ("样例机械12", "样例机械13", "differ"),
        ("第一机床", "第二机床", "differ"), ("东海机械", "西海机械", "differ"),
        ("宏达", "宏大", "differ"), ("精密传动设备", "精密传输装备", "near"),
        ("华东机械", "长江机床", "differ"),
    ],
)  # fmt: skip
def test_numbers_and_directions_tell_sisters_apart(one: str, other: str, how: str) -> None:
    assert near_enterprises.core_relation(one, other) == how
    assert near_enterprises.core_relation(other, one) == how


def test_a_credit_code_is_another_mistyped_only_if_one_fails_its_check() -> None:
    good, next_one = "91320106MA00000012", "91320106MA00000025"  # both as issued
    assert near_enterprises.code_relation(good, next_one) == "differ"
    assert near_enterprises.code_relation(good, "91320106MA00000021") == "mistyped"
    assert near_enterprises.code_relation(good, "91310000MB00000212") == "differ"


NUMBERS = [
    ("JK-2026-0031", "ＪＫ（2026）0031", "equal"),
    ("JK-2026-0031", "JK2026-0O31", "look_alike"),
    ("JK-2026-0031", "JK-2026-0013", "transposed"),
    ("JK-2026-0031", "JK-2062-0031", "transposed"),
    ("JK-2026-0031", "JK-2026-031", "far"),
    ("0012345", "12345", "far"),
    ("JK20260031", "JK2026031", "missing"),
    ("JK20260031", "JK202600031", "missing"),
    ("JK-2026-0031", "JK-226-0031", "missing"),
    ("JK-3207-2026-000755", "JK-3287-2026-000755", "substituted"),
    ("3203202611080755", "3203302611080755", "substituted"),
    ("NJ2026DK004334-05", "NJ026DK04334-05", "edited"),
    # What counting does, is no slip.
    ("JK-2026-0031", "JK-2026-0032", "serial"),
    ("JK-2026-0031", "JK-2026-0131", "serial"),
    ("JK-2026-1", "JK-2026-11", "serial"),
    ("HT-0012-01", "HT-0013-01", "serial"),
    ("HT2026001", "HT2026001-1", "serial"),
    ("HT2026001-1", "HT2026001-2", "serial"),
    ("2026-031-A", "2026-031-B", "serial"),
    ("第0100158号（2026）", "第0100161号（2026）", "serial"),
    ("3203202611080099", "3203202611080100", "far"),
    # A mistyped one beside the next of the original.
    ("NJ2026DK004334-05", "NJ2026DK00334-01", "serial"),
    ("10833480", "1083348Z", "serial"),
    # Too short, too far, or nothing at all.
    ("0012", "12", "far"), ("A12", "A21", "far"), ("JJ000000100", "JJ000075100", "far"),
    ("", "", "far"), ("-", "/", "far"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "how"), NUMBERS)
def test_a_slip_is_told_from_counting(one: str, other: str, how: str) -> None:
    assert near_numbers.relation(one, other) == how


@given(st.text("0123OI-A第/", max_size=14), st.text("0123OI-A第/", max_size=14))
def test_how_numbers_stand_does_not_depend_on_their_order(one: str, other: str) -> None:
    assert near_numbers.relation(one, other) == near_numbers.relation(other, one)


def test_the_digits_of_the_branch_tell_the_place() -> None:
    codes = ("C0001320100001", "C0001320100002")
    assert near_numbers.tells_place("JK0001-26-731", "JK0002-26-731", codes)
    assert not near_numbers.tells_place("JK0001-26-731", "JK0002-26-731", (codes[0], codes[0]))
    assert not near_numbers.tells_place("JK7771-26-731", "JK7772-26-731", codes)


def test_every_relation_has_its_words() -> None:
    for weights in (near_scores.NOTE, near_scores.ENTERPRISE, near_scores.INVOICE):
        for field, relations in weights.items():
            for relation in relations:
                for code in (field, f"{field}:{relation}"):
                    assert all(near_words.words(code)), code


def test_a_supplier_that_names_nobody_is_none() -> None:
    told = ["", "/", "——", "无", "暂无", "详见清单"]
    assert [near_names.canonical(name) for name in told] == [""] * len(told)
