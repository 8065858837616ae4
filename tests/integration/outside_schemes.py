"""A small book with one note per test scheme: part payments, a reversal, a repayment, outside money."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from tests.integration.book import PORTFOLIO, import_rows, read_csv

BANK = "D0001110000000"
YEARS = {
    "central-services-2026": 2026,
    "chayouqianqi-2018": 2018,
    "dated": 2026,
    "fuzhou-2022": 2022,
    "higher-of": 2026,
    "lpr-plus": 2026,
    "net-off": 2026,
    "pro-rata": 2026,
    "putian-2025": 2025,
    "shanghang-2022": 2022,
    "songyang-2022": 2021,
}
NUMBERS = [f"N-{code}" for code in YEARS]
PAID = {3: (100,), 6: (40, 60), 9: (100, -100, 75), 12: (100,)}
"""Percents of the interest due that each payment of a period brings, by the month it ends in."""


def build(folder: Path) -> None:
    """Import the book."""
    import_rows("institutions", [institution()], folder)
    import_rows("participations", [participation(code) for code in YEARS], folder)
    rates = {"one_year": "3.00", "five_year": "3.50"}
    import_rows("lpr", [{"published_on": "2018-01-02", **rates}], folder)
    usccs = [row["uscc"] for row in read_csv(PORTFOLIO / "enterprises.csv")]
    codes = dict(zip(YEARS, usccs, strict=False))
    import_rows("enterprises", [enterprise(uscc) for uscc in codes.values()], folder)
    import_rows("contracts", [contract(code, uscc) for code, uscc in codes.items()], folder)
    import_rows("notes", [note(code) for code in YEARS], folder)
    import_rows("repayments", [repayment(code) for code in YEARS], folder)
    import_rows("interest-collections", [row for code in YEARS for row in collected(code)], folder)
    import_rows(
        "external-subsidies",
        [outside(code, codes[code]) for code in ("net-off", "higher-of")],
        folder,
    )
    import_rows(
        "scheme-funds", [{"scheme_code": "pro-rata", "year": 2026, "amount": "5000.00"}], folder
    )


def institution() -> dict[str, object]:
    return {
        "institution_code": BANK,
        "name": "丁银行",
        "level": "headquarters",
        "region_code": "110000",
    }


def participation(code: str) -> dict[str, object]:
    return {"scheme_code": code, "institution_code": BANK, "valid_from": "2018-01-01"}


def enterprise(uscc: str) -> dict[str, object]:
    fixed = {
        "region_code": "320100",
        "industry_code": "C3512",
        "size": "small",
        "ownership": "private",
    }
    return {"uscc": uscc, "name": f"企业{uscc[-4:]}", **fixed}


def contract(code: str, uscc: str) -> dict[str, object]:
    return {
        "institution_code": BANK,
        "contract_number": f"H-{code}",
        "uscc": uscc,
        "signed_on": date(YEARS[code], 2, 1),
        "loan_type": "fixed_asset",
        "amount": "12000000.00",
        "purpose_field": "工业",
    }


def note(code: str) -> dict[str, object]:
    return {
        "institution_code": BANK,
        "note_number": f"N-{code}",
        "contract_number": f"H-{code}",
        "drawn_on": date(YEARS[code], 2, 10),
        "matures_on": date(YEARS[code] + 3, 2, 10),
        "principal": "12000000.00",
        "annual_rate": "3.60",
        "scheme_codes": code,
    }


def repayment(code: str) -> dict[str, object]:
    paid = {"repaid_on": date(YEARS[code], 7, 15), "amount": "1234567.89"}
    return {"institution_code": BANK, "note_number": f"N-{code}", "reference": f"R-{code}", **paid}


def collected(code: str) -> Iterator[dict[str, object]]:
    start = date(YEARS[code], 2, 10)
    for month, shares in PAID.items():
        end = date(YEARS[code], month, 21)
        due = 1200 * (end - start).days
        for number, share in enumerate(shares):
            yield {
                "institution_code": BANK,
                "note_number": f"N-{code}",
                "period_start": start,
                "period_end": end,
                "interest_due": f"{due}.00",
                "interest_paid": f"{due * share // 100}.00",
                "collected_on": date(YEARS[code], month, 21 + number),
                "reference": f"S-{code}-{month}-{number}",
            }
        start = end


def outside(code: str, uscc: str) -> dict[str, object]:
    return {
        "source": "财政局",
        "reference": f"X-{code}",
        "uscc": uscc,
        "kind": "loan_interest",
        "scheme_name": "其他贴息",
        "institution_code": BANK,
        "note_number": f"N-{code}",
        "year": YEARS[code],
        "amount": "1000.00",
    }
