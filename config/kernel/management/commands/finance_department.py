"""`finance_department`: register a finance department with what answers to it."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import ProjectCommand
from config.kernel.models import FinanceDepartment, Role
from config.kernel.services import departments
from config.kernel.services.clients import Refused


class Command(ProjectCommand):
    """The same code again replaces what was said of it."""

    permitted = frozenset({Role.ADMINISTRATOR})
    help = (
        "登记财政部门及其对口机构、主管政策 / register a finance department and what answers to it"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The department, its institutions and schemes."""
        super().add_arguments(parser)
        parser.add_argument("code", help="财政部门编码 / code of the department")
        parser.add_argument("--name", required=True)
        parser.add_argument("--level", required=True, choices=FinanceDepartment.Level.values)
        parser.add_argument("--region", required=True, help="行政区划代码，6 位 / six digits")
        parser.add_argument(
            "--answering", required=True, nargs="+", metavar="CODE", help="对口机构 / institutions"
        )
        parser.add_argument(
            "--schemes", required=True, nargs="+", metavar="CODE", help="主管政策 / schemes"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Register it."""
        self.require_everywhere(options)
        told = departments.Department(
            code=options["code"],
            name=options["name"],
            level=options["level"],
            region_code=options["region"],
            scheme_codes=tuple(options["schemes"]),
            institution_codes=tuple(options["answering"]),
        )
        try:
            department = departments.register(department=told)
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"已登记 / registered: {department}")
