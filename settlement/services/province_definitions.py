"""The systems that this installation knows how to speak to: files of this folder's neighbour."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings

from settlement.engine.errors import TermsError
from settlement.engine.wire import Definition, parse_definition

SHIPPED = Path(__file__).resolve().parent.parent / "connectors"


def load_definitions(folder: Path) -> dict[str, Definition]:
    """Code → definition. TermsError with all that is wrong with the files."""
    found: dict[str, Definition] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            made = parse_definition(path.read_text(encoding="utf-8"), name=path.name)
        except TermsError as error:
            problems += error.problems
            continue
        if made.code in found:
            problems.append(f"{path.name}: code: 重复 / told twice: {made.code!r}")
        found[made.code] = made
    if problems:
        raise TermsError(problems)
    return found


@cache
def definitions() -> dict[str, Definition]:
    """Those that are shipped, and the installation's own, which go before shipped ones of the same code."""
    own = settings.PROVINCE_DEFINITIONS
    return load_definitions(SHIPPED) | (load_definitions(Path(own)) if own else {})
