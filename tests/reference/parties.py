"""Random institutions, participations, LPR fixings, enterprises, titles and projects."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from stdnum.cn import uscc as uscc_check

from tests.reference.columns import columns_of
from tests.reference.facts import Portfolio, Row
from tests.reference.terms import EQUIPMENT, MANUFACTURING, SCHEMES, SME, SPORTS

SWITCHES = (
    "flaws", "dated", "titles", "repayments", "statuses", "parts", "reversals", "plans", "foreign",
    "outside", "openings", "guarantees", "transfers", "fund",
)  # fmt: skip

PROFILES = {SME: "sme", EQUIPMENT: "equipment", MANUFACTURING: "manufacturing", SPORTS: "sports"}
JIANGSU_REGIONS = ("320100", "320200", "320300", "320500", "320600", "321300")
OTHER_REGIONS = ("330100", "310000", "440300")
FACTORIES = ("C1310", "C3421", "C3829", "C4390", "C2441")
NO_FACTORIES = ("R8810", "A0111", "C1290", "C4411", "I6510", "C4410")
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass
class Enterprise:
    """What the later steps need to know of a borrower; `big` ones are made to meet the caps."""

    uscc: str
    profile: str
    big: bool
    home: str
    projects: list[str] = field(default_factory=list)


class Draft:
    """A portfolio being drawn. Each part draws from its own stream, so that switching one part off
    leaves the others as they were."""

    def __init__(self, seed: int, notes: int, switches: dict[str, bool]) -> None:
        self.seed, self.size = seed, notes
        self.switches = dict.fromkeys(SWITCHES, True) | switches
        self.rows: Portfolio = defaultdict(list)
        self.branches: dict[str, list[str]] = {}
        self.enterprises: list[Enterprise] = []
        # A theme leans to few big borrowers of one profile, so that its caps bind.
        self.theme = self.stream("theme").choice(
            ["", "", "sme", "manufacturing", "sports", "sports"]
        )

    def stream(self, name: str) -> Random:
        return Random(f"{self.seed}/{name}")

    def on(self, switch: str) -> bool:
        return self.switches[switch]

    def add(self, kind: str, /, **values: object) -> Row:
        """Appends a row; columns left out are blank."""
        columns = columns_of(kind)
        if unknown := values.keys() - set(columns):
            raise KeyError(unknown)
        row = {column: str(values.get(column, "")) for column in columns}
        self.rows[kind].append(row)
        return row


def draw_parties(draft: Draft) -> None:
    _institutions(draft)
    _participations(draft)
    _lpr(draft)
    _enterprises(draft)
    if draft.on("titles"):
        _titles(draft)
    _projects(draft)


def _institutions(draft: Draft) -> None:
    rng = draft.stream("institutions")
    for bank in range(rng.randint(2, 4)):
        letter = rng.choice("ABC")
        codes = [f"{letter}{bank:04d}{region}{n:03d}" for n, region in enumerate(
            ["110000", "320000", *rng.sample(JIANGSU_REGIONS, 2)]
        )]  # fmt: skip
        names = [f"样例银行{bank}", f"样例银行{bank}江苏省分行", "支行甲", "支行乙"]
        levels = ["headquarters", "provincial", "branch", "branch"]
        parents = ["", codes[0], codes[1], codes[1]]
        for code, name, level, parent in zip(codes, names, levels, parents, strict=True):
            draft.add(
                "institutions", institution_code=code, level=level, parent_code=parent,
                name=name if level != "branch" else f"{names[1]}{name}", region_code=code[5:11],
            )  # fmt: skip
        draft.branches[codes[0]] = codes[1:] if rng.random() < 0.3 else codes[2:]


def _participations(draft: Draft) -> None:
    """Mostly whole head offices for good; some late, ended, interrupted, partial or missing."""
    rng = draft.stream("participations")
    for head, branches in draft.branches.items():
        for code in SCHEMES:
            whom, shape = head, rng.random() if draft.on("flaws") else 1
            if shape < 0.04:
                continue
            if shape < 0.12:
                whom = branches[-1]
            spans = [("2024-01-01", "")]
            if 0.12 <= shape < 0.20:
                spans = [("2026-03-01", "")]
            elif 0.20 <= shape < 0.26:
                spans = [("2024-01-01", "2026-08-31")]
            elif 0.26 <= shape < 0.32:
                spans = [("2024-01-01", "2026-04-30"), ("2026-06-01", "")]
            for valid_from, valid_to in spans:
                draft.add(
                    "participations", scheme_code=code, institution_code=whom,
                    valid_from=valid_from, valid_to=valid_to,
                )  # fmt: skip


def _lpr(draft: Draft) -> None:
    """A year of monthly fixings; in some portfolios the first ones are not recorded."""
    rng = draft.stream("lpr")
    late = draft.on("flaws") and rng.random() < 0.3
    one, five = 300, 350
    for month in range(rng.randint(4, 8) if late else 0, 14):
        year, month0 = divmod(2025 * 12 + 9 + month, 12)
        if rng.random() < 0.4:
            one, five = one + rng.choice((5, -5)), five + rng.choice((0, 5, -5))
        draft.add(
            "lpr", published_on=date(year, month0 + 1, 20),
            one_year=f"{one // 100}.{one % 100:02d}", five_year=f"{five // 100}.{five % 100:02d}",
        )  # fmt: skip


def make_uscc(rng: Random, region: str) -> str:
    body = f"91{region}" + "".join(rng.choice(_ALPHABET) for _ in range(9))
    return body + uscc_check.calc_check_digit(body)


def _enterprises(draft: Draft) -> None:
    rng = draft.stream("enterprises")
    heads = list(draft.branches)
    profiles = list(PROFILES.values())
    rng.shuffle(profiles)
    for n in range(max(2, draft.size // (7 if draft.theme else 4))):
        themed = draft.theme and rng.random() < 0.85
        profile = draft.theme if themed else profiles[n % 4]
        row = _attributes(rng, profile)
        code = make_uscc(rng, row["region_code"])
        for valid_from, changes in _versions(draft, rng):
            draft.add(
                "enterprises", **{"uscc": code, "name": f"样例企业{n}有限公司", **row, **changes},
                valid_from=valid_from,
            )  # fmt: skip
        big = rng.random() < (0.8 if themed else 0.5)
        draft.enterprises.append(Enterprise(code, profile, big, rng.choice(heads)))


def _attributes(rng: Random, profile: str) -> Row:
    """Attributes that suit the profile's schemes."""
    factory = profile == "manufacturing" or rng.random() < 0.6
    return {
        "region_code": rng.choice(JIANGSU_REGIONS),
        "industry_code": rng.choice(FACTORIES if factory else NO_FACTORIES),
        "size": rng.choice(("micro", "small", "medium")),
        "ownership": "private" if profile != "equipment" else rng.choice(("state", "foreign")),
        "environment_rating": rng.choice(("green", "blue", "yellow", "")),
        "tax_rating": rng.choice(("A", "B", "M", "C", "")),
        "dishonest": rng.choice(("no", "no", "")),
    }


def _flaw(rng: Random) -> Row:
    return rng.choice(
        [
            {"region_code": rng.choice(OTHER_REGIONS)},
            {"industry_code": rng.choice(NO_FACTORIES)},
            {"size": "large"},
            {"ownership": rng.choice(("state", "collective", "foreign"))},
            {"environment_rating": rng.choice(("red", "black"))},
            {"tax_rating": "D"},
            {"dishonest": "yes"},
        ]
    )


def _versions(draft: Draft, rng: Random) -> list[tuple[str, Row]]:
    """(valid_from, changed attributes): one row for good, or several dated ones."""
    changes: Row = _flaw(rng) if draft.on("flaws") and rng.random() < 0.2 else {}
    later, first = _flaw(rng), date(2025, 10, 1) + timedelta(days=rng.randrange(400))
    shape = rng.random() if draft.on("dated") else 1
    if shape < 0.12:  # good for ever, flawed from a day on
        return [("", changes), (first.isoformat(), {**changes, **later})]
    if shape < 0.24:  # flawed until a day, twice dated
        second = first + timedelta(days=rng.randint(1, 120))
        return [("", {**changes, **later}), (second.isoformat(), changes), (first.isoformat(), {})]
    if shape < 0.30:  # nothing in force before the first date
        second = first + timedelta(days=rng.randint(1, 60))
        return [(second.isoformat(), {**changes, **later}), (first.isoformat(), changes)]
    return [("", changes)]


def _titles(draft: Draft) -> None:
    rng = draft.stream("titles")
    for enterprise in draft.enterprises:
        if rng.random() < 0.35:
            start = date(2023, rng.randint(1, 12), 1) + timedelta(days=rng.randrange(900))
            draft.add(
                "enterprise-titles", uscc=enterprise.uscc,
                title=rng.choice(("little_giant", "specialized")), valid_from=start,
                valid_to=start + timedelta(days=rng.choice((364, 800, 1094))),
            )  # fmt: skip


def _projects(draft: Draft) -> None:
    rng = draft.stream("projects")
    for n, enterprise in enumerate(draft.enterprises):
        for k in range(rng.choice((0, 1, 2, 2))):
            code = f"{rng.randrange(2000, 3000)}-{enterprise.uscc[2:8]}-89-02-{n:03d}{k:03d}"
            enterprise.projects.append(code)
            draft.add(
                "projects", project_code=code, uscc=enterprise.uscc, name=f"样例项目{n}-{k}",
                region_code=enterprise.uscc[2:8],
            )  # fmt: skip
