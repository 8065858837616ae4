"""The product keeps the house rules, and each rule finds what it is for."""

import ast
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture import rules

MONEY = (
    "loans/values/**/*", "loans/files/**/*", "loans/services/**/*", "loans/models/**/*",
    "settlement/engine/**/*", "settlement/services/**/*", "settlement/models/**/*", "config/kernel/services/**/*",
    "reports/definitions/**/*", "reports/render/**/*", "reports/selectors/**/*", "reports/services/**/*",
)  # fmt: skip
SERVICES = ("loans/services/*", "settlement/services/*", "reports/services/*")
EVERYTHING = tuple(f"{folder}/**/*" for folder in rules.PRODUCT)
INTERFACES = {"management", "admin", "api", "middleware", "tasks.py"}
EXACT_ENOUGH = {
    "loans/files/cell_values.py round(): banker's rounding"
}  # seconds of an Excel clock

TASK = "from x.services import s\n@shared_task(name='x')\ndef f({}):\n    {}"


def _without_line(finding: str) -> str:
    file, _, what = finding.partition(" ")
    return f"{file.split(':')[0]} {what}"


def test_money_is_exact() -> None:
    """No float, no true division, no rounding but our own."""
    found = rules.findings(rules.inexact, *MONEY)
    assert [row for row in found if _without_line(row) not in EXACT_ENOUGH] == []


def test_engine_columns_do_not_wrap() -> None:
    """Amounts and days are Int64 or wider."""
    assert rules.findings(rules.narrow, "settlement/engine/**/*") == []


def test_the_clock_is_read_at_interfaces_only() -> None:
    """Everywhere else the moment is an argument."""
    found = rules.findings(rules.clock, *EVERYTHING)
    assert [
        row for row in found if not INTERFACES.intersection(Path(row.split(":")[0]).parts)
    ] == []


def test_services_are_called_by_keyword() -> None:
    """A reader of the call sees what each argument is."""
    assert rules.findings(rules.positional_services, *SERVICES) == []


def test_tasks_are_bells() -> None:
    """What a task does can be called, tested and repeated without Celery."""
    assert rules.findings(rules.heavy_tasks, "*/tasks.py", "config/kernel/tasks.py") == []


def test_nothing_left_for_later() -> None:
    """No prints, breakpoints or holes; management commands write to their own stdout."""
    assert rules.findings(rules.leftovers, *EVERYTHING) == []


def test_functions_and_modules_are_small() -> None:
    """Product: functions under 50 lines with a median under 12, modules up to 400 lines."""
    assert rules.findings(rules.longer_than(49), *EVERYTHING) == []
    assert rules.findings(rules.longer_than(59), "tests/**/*") == []
    lengths = [
        rules.length(function)
        for path in rules.modules(*EVERYTHING)
        for function in rules.functions(ast.parse(path.read_text()))
    ]
    assert statistics.median(lengths) < 12
    limits = dict.fromkeys(rules.modules(*EVERYTHING), 400)
    limits |= dict.fromkeys(rules.modules("tests/**/*"), 450)
    sizes = {path: len(path.read_text().splitlines()) for path in limits}
    assert {str(path): size for path, size in sizes.items() if size > limits[path]} == {}


def test_apps_and_layers_point_one_way() -> None:
    """The contracts of pyproject.toml, as `make lint` checks them."""
    lint = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert lint is not None
    result = subprocess.run(
        [lint, "--no-cache"], cwd=rules.ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("rule", "source", "expected"),
    [
        (rules.inexact, "x = 0.5", ["float 0.5"]),
        (rules.inexact, "x = a / 2", ["true division"]),
        (rules.inexact, "x /= 2", ["true division"]),
        (rules.inexact, "x = float(y)", ["float"]),
        (rules.inexact, "refused = isinstance(x, (float, Fraction))", []),
        (rules.inexact, "x = pl.col('a').cast(pl.Float64)", ["Float64"]),
        (rules.inexact, "x = round(y, 2)", ["round(): banker's rounding"]),
        (rules.inexact, "x = pl.col('a').mean()", [".mean() goes through float"]),
        (rules.inexact, "x = a // 2 + 5 * b; p = folder / 'name' / f'{a}'", []),
        (rules.narrow, "x = pl.col('a').cast(pl.Int32)", ["Int32 wraps in silence"]),
        (rules.narrow, "x = pl.col('a').cast(pl.Int32).cast(pl.Int64) + pl.col('b').cast(pl.Int128)", []),
        (rules.clock, "x = timezone.now()", ["timezone.now"]),
        (rules.clock, "f(clock=timezone.localtime)", ["timezone.localtime"]),
        (rules.clock, "x = datetime.datetime.now()", ["datetime.now"]),
        (rules.clock, "x = batch.now()", []),
        (rules.leftovers, "print(1)", ["print()"]),
        (rules.leftovers, "raise NotImplementedError", ["NotImplementedError"]),
        (rules.positional_services, "def post(a, at): ...", ["post(a, at) is not keyword-only"]),
        (rules.positional_services, "@transaction.atomic\ndef post(a): ...", ["post(a) is not keyword-only"]),
        (rules.positional_services, "def post(*, a, at): ...\ndef key(a, b): ...", []),
        (rules.heavy_tasks, TASK.format("a", "s.b(a=a); s.c()"), ["f must be one service call, keyword-only"]),
        (rules.heavy_tasks, TASK.format("a", "Note.objects.get()"), ["f must be one service call, keyword-only"]),
        (rules.heavy_tasks, TASK.format("*, a", "s.b(a=a); f.delay()"), []),
        (rules.longer_than(2), "def f():\n    a\n    b", ["f has 3 lines"]),
    ],
)  # fmt: skip
def test_each_rule_finds_what_it_is_for(rule: object, source: str, expected: list[str]) -> None:
    """Good and bad examples: a rule that finds nothing keeps nothing."""
    assert [what for _, what in rule(ast.parse(source))] == expected  # type: ignore[operator]
