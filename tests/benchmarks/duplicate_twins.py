"""Near-twins that are no duplicates, as patterns of enterprises and their notes.

A pattern is repeated with other numbers, banks, days and amounts; `{b}` in a text is the number of the
repetition. Everything here stays on the lawful side of a rule by one fact.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.integration.planted_rows import EQUIPMENT, MAKING, SME, SPORTS


class Twin(NamedTuple):
    """A note of a pattern. `day` counts from the pattern's first day; empty texts are made up.

    `yuan` grows with the pattern's scale unless `exact`; `contract` is shared by notes that name one.
    `repaid`: days after drawdown and percent, in instalments 30 days apart; `stopped`: how many days after drawdown its status starts
    and ends (0: not at all).
    """

    yuan: int
    day: int = 0
    member: int = 0
    site: str = "a1"
    schemes: str = SME
    number: str = ""
    contract: str = ""
    project: str = ""
    loan_type: str = "fixed_asset"
    exact: bool = False
    repaid: tuple[int, int] = (0, 0)
    instalments: int = 1
    status: str = ""
    stopped: tuple[int, int] = (0, 0)
    guaranteed: bool = False
    in_parts: bool = False


class Pattern(NamedTuple):
    """Some enterprises and their notes; `times` in each hundred notes or so.

    `names`: of the enterprises, `{e}` is a number of each; `outside`: outside records as (member, fields);
    `invoices`: further ones as (note, fields).
    """

    times: int
    notes: tuple[Twin, ...]
    names: tuple[str, ...] = ("样例机械{e}有限公司",)
    sizes: tuple[str, ...] = ()
    outside: tuple[tuple[int, dict[str, Any]], ...] = ()
    invoices: tuple[tuple[int, dict[str, Any]], ...] = ()


MANY = tuple(
    Twin(
        1_000_000 if place % 2 else 5_000_000,
        day=place // 2 * 5,
        site=("a1", "a1", "a2", "b1")[place % 4],
        schemes=SME if place % 2 else EQUIPMENT,
    )
    for place in range(24)
)

PATTERNS = (
    Pattern(6, (Twin(500_000),)),
    Pattern(3, (Twin(1_000_000), Twin(1_000_000, 31), Twin(2_000_000, 62, site="a2"))),
    Pattern(1, MANY),  # consecutive numbers, round amounts, two a day
    Pattern(  # projects: several notes at one bank; other equipment at two banks; two duties
        2,
        (
            Twin(3_000_000, schemes=EQUIPMENT, project="XM{b}-1"),
            Twin(3_000_000, 12, site="a2", schemes=EQUIPMENT, project="XM{b}-1"),
            Twin(2_000_000, 21, schemes=EQUIPMENT, project="XM{b}-2"),
            Twin(2_000_000, 22, site="b1", schemes=EQUIPMENT, project="XM{b}-2"),
            Twin(4_000_000, 30, schemes=EQUIPMENT, project="XM{b}-3"),
            Twin(4_000_000, 31, site="b1", schemes=MAKING, project="XM{b}-3"),
        ),
    ),
    Pattern(1, tuple(Twin(2_000_000, d, schemes=f"{EQUIPMENT};{MAKING}") for d in (0, 9, 40))),
    Pattern(
        1,
        (
            Twin(5_000_000, schemes=SPORTS, loan_type="working_capital", exact=True),
            Twin(5_000_000, schemes=SPORTS, loan_type="working_capital", exact=True),
            Twin(9_000_000, 20, schemes=SPORTS, exact=True, guaranteed=True),
        ),
    ),
    Pattern(  # repaid, and lent again: less, a week and a day before or after, or to another
        1,
        (
            Twin(2_000_000, repaid=(100, 100)),
            Twin(1_900_000, 100),
            Twin(2_000_000, 108),
            Twin(2_000_000, 92, site="b1"),
            Twin(2_000_000, 100, member=1),
            Twin(2_600_000, member=1, repaid=(60, 50), instalments=2),
            Twin(2_600_000, 90, member=1),
        ),
        names=("样例机械{e}有限公司",) * 2,
    ),
    Pattern(  # tranches and days that reach a limit, or pass it one by one
        1,
        (
            *(Twin(16_000_000, d, contract="HTF{b}-1", exact=True) for d in (0, 4, 8)),
            *(Twin(25_000_000, 3, member=1, exact=True) for _ in range(2)),
            Twin(30_000_000, 0, member=2, contract="HTF{b}-2", exact=True),
            Twin(29_000_000, 8, member=2, contract="HTF{b}-2", exact=True),
            Twin(30_000_000, 5, member=3, exact=True),
            Twin(20_000_000, 40, member=3, site="b1", exact=True),
        ),
        names=("样例机械{e}有限公司",) * 4,
    ),
    Pattern(  # sister companies; one name, but other duties, no subsidy or no note
        1,
        (
            Twin(1_500_000),
            Twin(1_500_000, member=1),
            Twin(1_500_000, 1, member=2),
            Twin(1_500_000, 2, member=3, schemes=MAKING),
            Twin(1_500_000, 3, member=4),
        ),
        names=(
            "样例重工{b}—12有限公司",
            "样例重工{b}—13有限公司",
            "样例重工{b}—12（集团）有限公司",
            "样例重工{b}—12有限公司",
            "样例重工{b}—12有限公司",
            "样例重工{b}—13有限公司",
        ),
        sizes=("small", "small", "small", "small", "large", "small"),
    ),
    Pattern(  # outside records of the enterprise, of other years, of what may be had beside, undone
        1,
        (
            Twin(1_800_000, number="WB{b}-1", project="XW{b}"),
            Twin(1_800_000, 4, member=1, number="WB{b}-2"),
            Twin(1_200_000, 9, member=1),
        ),
        names=("样例机械{e}有限公司",) * 2,
        outside=(
            (0, {"kind": "leasing_interest"}),
            (0, {"note_number": "WB{b}-1", "year": "2025"}),
            (0, {"kind": "grant", "project_code": "XW{b}"}),
            (0, {"kind": "leasing_interest", "project_code": "XW{b}"}),
            (1, {"note_number": "WB{b}-1"}),
            (1, {"note_number": "WB{b}-2", "scheme_name": "市级贴息二"}),
            (1, {"note_number": "WB{b}-2", "scheme_name": "市级贴息二", "amount": "-300.00"}),
            (0, {"note_number": "WB{b}-1", "institution_code": "b1"}),
        ),
    ),
    Pattern(  # stopped or repaid, and told so before interest was subsidised
        2,
        (
            Twin(1_100_000, status="overdue", stopped=(20, 50)),
            Twin(1_200_000, 10, status="extended", stopped=(40, 0)),
            Twin(1_300_000, 20, repaid=(30, 30)),
            Twin(1_400_000, 30, repaid=(60, 100)),
            Twin(1_500_000, 50, status="non_performing", stopped=(33, 0)),
        ),
    ),
    Pattern(  # numbers that are equal without signs or zeros, but of other loans
        1,
        (
            Twin(1_000_000, 0, number="LX{b}-1-12", contract="HTX({b})1-12"),
            Twin(2_000_000, 3, number="LX{b}-11-2", contract="HTX({b})11-2"),
            Twin(1_300_000, 6, number="0012-{b}"),
            Twin(1_300_000, 6, number="12-{b}"),
            Twin(1_100_000, 8, number="GT-{b}"),
            Twin(2_300_000, 9, site="b1", number="GT-{b}"),
            Twin(1_300_000, 6, member=1, site="b1", number="12-{b}"),
        ),
        names=("样例机械{e}有限公司",) * 2,
    ),
    Pattern(1, (Twin(2_500_000, in_parts=True), Twin(1_700_000, 16, in_parts=True))),
    Pattern(  # invoices: of other sellers or days, in parts, short serial numbers
        1,
        (
            Twin(1_600_000),
            Twin(1_600_000, 2, member=1, site="b1"),
            Twin(1_100_000, 4, member=1, contract="HTI{b}"),
            Twin(1_100_000, 34, member=1, contract="HTI{b}"),
        ),
        names=("样例机械{e}有限公司",) * 2,
        invoices=(
            (0, {"invoice_number": "7{b}1", "supplier": "甲设备厂", "serial_number": "{b}"}),
            (1, {"invoice_number": "7{b}1", "supplier": "乙设备厂", "serial_number": "{b}"}),
            (0, {"invoice_number": "7{b}2", "supplier": "甲设备厂", "issued_on": "2025-12-30"}),
            (1, {"invoice_number": "7{b}2", "supplier": "甲设备厂", "issued_on": "2025-12-31"}),
            (2, {"invoice_number": "7{b}3", "supplier": "丙设备厂", "amount": "30000.00"}),
            (3, {"invoice_number": "7{b}3", "supplier": "丙设备厂", "amount": "70000.00"}),
        ),
    ),
)
