"""`GET reports/…`: which reports there are, what each sums up to, and its files, proved before they go out."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import FileResponse
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.api.paging import page
from config.kernel.api.problems import Problem
from config.kernel.api.serializers import (
    ChoiceField,
    CodeField,
    NoQuery,
    PageQuery,
    StrictSerializer,
    query,
)
from loans.api.endpoints import RuledEndpoint
from loans.values.errors import DomainError
from loans.values.money import yuan_from_fen
from reports.models import Report, ReportFile
from reports.models.names import REPORTS
from reports.services import storing

MEDIA = {
    "csv": "text/csv",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
MONEY = ("yuan", "wan", "product")  # of totals; stored in hundredths
# A file of ours that is gone or is not what was kept: nobody's request can cure that.
SPOILT = frozenset({"file_missing", "file_tampered"})
SAVED_ONLY = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-store"}


class ReportQuery(PageQuery):
    """Which reports."""

    code = ChoiceField(list(REPORTS), required=False)
    period = CodeField(
        required=False, max_length=7, help_text="2026-03、2026-Q1、2026 / a month, quarter or year"
    )
    scheme_code = CodeField(required=False, max_length=60)
    institution_code = CodeField(required=False, max_length=64)
    state = ChoiceField(list(Report.State.values), required=False)


class FileQuery(StrictSerializer):
    """Which of several files of one format."""

    name = CodeField(
        required=False,
        max_length=200,
        help_text="文件名；默认为报表本身 / the file's name; by default the report itself",
    )


_REPORT: dict[str, Any] = {
    "id": serializers.IntegerField(),
    "code": serializers.CharField(),
    "institution_code": serializers.CharField(),
    "scheme_code": serializers.CharField(help_text="空 = 全部政策 / empty: all schemes"),
    "schemes": serializers.ListField(child=serializers.CharField()),
    "period": serializers.CharField(),
    "version": serializers.IntegerField(),
    "state": serializers.ChoiceField(list(Report.State.values)),
    "corrects": serializers.IntegerField(allow_null=True),
    "content_sha256": serializers.CharField(),
    "made_by": serializers.CharField(),
    "made_at": serializers.DateTimeField(),
    "checked_by": serializers.CharField(allow_null=True),
    "submitted_at": serializers.DateTimeField(allow_null=True),
    "document_number": serializers.CharField(help_text="受理文号 / finance's number"),
}
FileOut = inline_serializer(
    "ReportFile",
    {
        "name": serializers.CharField(),
        "role": serializers.ChoiceField(list(ReportFile.Role.values)),
        "format": serializers.CharField(),
        "sha256": serializers.CharField(),
        "bytes": serializers.IntegerField(),
        "href": serializers.CharField(),
    },
    many=True,
)
TotalOut = inline_serializer(
    "ReportTotal",
    {
        "file": serializers.CharField(),
        "column": serializers.CharField(),
        "value": serializers.CharField(help_text="金额为元 / amounts in yuan"),
    },
    many=True,
)
TieOut = inline_serializer(
    "ReportTie", {"name": serializers.CharField(), "amount": serializers.CharField()}, many=True
)
ReportPage = inline_serializer(
    "ReportPage",
    {
        "next": serializers.URLField(allow_null=True),
        "results": inline_serializer("ReportRow", dict(_REPORT), many=True),
    },
)
ReportOut = inline_serializer(
    "Report", {**_REPORT, "totals": TotalOut, "ties": TieOut, "files": FileOut}
)


def _moment(at: Any) -> str | None:
    return None if at is None else timezone.localtime(at).isoformat()


def shown(row: Report) -> dict[str, Any]:
    """A report in a list."""
    return {
        "id": row.pk,
        "code": row.code,
        "institution_code": row.institution.code,
        "scheme_code": row.scheme_code,
        "schemes": row.schemes,
        "period": row.period,
        "version": row.version,
        "state": row.state,
        "corrects": row.corrects_id,
        "content_sha256": row.content_sha256,
        "made_by": row.made_by,
        "made_at": _moment(row.made_at),
        "checked_by": row.checked_by,
        "submitted_at": _moment(row.submitted_at),
        "document_number": row.document_number,
    }


def whole(row: Report) -> dict[str, Any]:
    """A report with its sums, what was proved equal, and its files."""
    return {
        **shown(row),
        "totals": [
            {"file": one["file"], "column": one["key"], "value": _sum(one)} for one in row.totals
        ],
        "ties": [{"name": one["name"], "amount": yuan_from_fen(one["fen"])} for one in row.ties],
        "files": [_file(one) for one in row.files.order_by("pk")],
    }


def _sum(total: Mapping[str, Any]) -> str:
    is_money = total["kind"] in MONEY
    return yuan_from_fen(total["value"]) if is_money else str(total["value"])


def _file(file: ReportFile) -> dict[str, Any]:
    address = reverse("api-report-file", args=[file.report_id, file.format])
    return {
        "name": file.name,
        "role": file.role,
        "format": file.format,
        "sha256": file.sha256,
        "bytes": file.size,
        "href": f"{address}?{urlencode({'name': file.name})}",
    }


class _Problems(JSONRenderer):
    """Who asks for a file gets problems as JSON all the same."""

    format = ""


def _renderer(media: str) -> type[BaseRenderer]:
    return type("Renderer", (_Problems,), {"media_type": media})


class Reports(RuledEndpoint):
    """A bank's clients see its reports, drafts too; finance those it was sent, of its schemes."""

    needs = dict.fromkeys(("list", "retrieve", "file"), "reports:read")

    def get_renderers(self) -> list[BaseRenderer]:
        """Of a file, whatever its format is sent as."""
        if self.action != "file":
            return super().get_renderers()
        return [JSONRenderer(), *(_renderer(media)() for media in MEDIA.values())]

    def refusal(self, error: Exception) -> Problem | None:
        """A spoilt file is our fault, told by its own code."""
        if isinstance(error, DomainError) and error.code in SPOILT:
            return Problem(error.code, error.message, status=500)
        return super().refusal(error)

    @extend_schema(
        summary="查询报表 / list reports",
        operation_id="list_reports",
        parameters=[ReportQuery],
        responses={200: ReportPage},
    )
    def list(self, request: Request) -> Response:
        """A page, latest first."""
        asked = query(ReportQuery, request)
        names = ("code", "period", "scheme_code", "state")
        rows = self._rows().filter(**{name: asked[name] for name in names if name in asked})
        if "institution_code" in asked:
            rows = rows.filter(institution__code=asked["institution_code"])
        return page(self, rows, shown, asked=asked)

    @extend_schema(
        summary="查看报表 / read a report",
        operation_id="get_report",
        responses={200: ReportOut},
    )
    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002 (the address calls it so)
        """One report."""
        query(NoQuery, request)
        return Response(whole(self.found(self._rows(), id)))

    @extend_schema(
        summary="下载报表文件 / download a file of a report",
        operation_id="get_report_file",
        parameters=[
            FileQuery,
            OpenApiParameter("ending", str, OpenApiParameter.PATH, enum=[*MEDIA]),
        ],
        responses={(200, media): OpenApiTypes.BINARY for media in MEDIA.values()},
    )
    def file(self, request: Request, id: str, ending: str) -> FileResponse:  # noqa: A002 (the address calls it so)
        """The whole file, proved against its digest, which goes with it (RFC 9530)."""
        asked = query(FileQuery, request)
        report = self.found(self._rows(), id)
        files = [one for one in report.files.order_by("pk") if one.format == ending]
        if "name" in asked:
            files = [one for one in files if one.name == asked["name"]]
        # Further tables and the differences have longer names than the report itself.
        files.sort(key=lambda one: (one.role != ReportFile.Role.REPORT, len(one.name), one.name))
        if not files:
            raise Problem("not_found")
        return _sent(files[0])

    def _rows(self) -> QuerySet[Report]:
        rows = Report.objects.select_related("institution")
        own = self.caller.scheme_codes
        if own is None:
            return rows
        # One of all schemes, if it speaks of the department's own alone; what it speaks of is kept with it.
        codes = sorted(own)
        of_all = Q(scheme_code="", schemes__contained_by=codes) & ~Q(schemes=[])
        return rows.exclude(submitted_at=None).filter(Q(scheme_code__in=codes) | of_all)


def _sent(file: ReportFile) -> FileResponse:
    digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
    return FileResponse(
        storing.opened(file=file),
        as_attachment=True,
        filename=file.name,
        content_type=MEDIA.get(file.format, "application/octet-stream"),
        headers={"Content-Digest": f"sha-256=:{digest}:", **SAVED_ONLY},
    )
