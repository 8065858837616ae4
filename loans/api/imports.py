"""`POST imports/`: a whole file, larger than a list may be, taken in by a worker without a preview."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.api.answers import AnswersByKey
from config.kernel.api.jobs import JobOrdered
from config.kernel.api.problems import Fault, Problem
from config.kernel.api.serializers import (
    ChoiceField,
    CodeField,
    StrictSerializer,
    WholeNumberField,
    query,
)
from config.kernel.api.uploads import CSV, XLSX, CSVParser, Received, XLSXParser
from config.kernel.models import Institution
from config.kernel.services import scope
from loans.api import bringing
from loans.api.endpoints import RuledEndpoint
from loans.api.external import KIND as EXTERNAL
from loans.files.kinds import KINDS
from loans.files.limits import INSTITUTION_CODE_CHARACTERS, MAX_FILE_BYTES, MAX_ROWS
from loans.services.controls import Controls, control_column
from loans.services.targets import TARGETS
from loans.values.money import fen_from_yuan

# Money that finance pays has its own endpoint, with its key and signature, and no file.
UPLOADED = [
    name
    for name in KINDS
    if name in TARGETS and not TARGETS[name].administrators_only and name != "pre-allocations"
]
# What has an endpoint of its own needs its scope, too: a file is no way round it.
ALSO_NEEDS = {
    name: f"{name}:write"
    for name in ("notes", "repayments", "interest-collections", "review-results",
                 "external-subsidies")
}  # fmt: skip
ENDINGS = {CSV: ".csv", XLSX: ".xlsx"}
_SUM = r"^-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,2})?$"
WHOLE_FILE = {"type": "string", "format": "binary", "minLength": 1}
MEDIA = "只接受 text/csv 或 XLSX，不压缩 / text/csv or XLSX only, not compressed"
FINANCE_BRINGS = (
    "财政部门只能上传外部补贴文件，其余请用各自的接口"
    " / finance departments upload external subsidies only: use the other endpoints for the rest"
)
SUM_NEEDED = "此类文件须填写金额合计 / the sum of this kind's amounts is required"
NO_SUM = "此类文件没有金额列 / this kind has no amounts"
WHICH_BANK = "涉及多家银行的客户端须指明机构 / name the institution: you speak for several banks"
EMPTY = "请求体为空，或未给出 Content-Length / the body is empty or has no Content-Length"


class SumField(CodeField):
    """A sum in yuan; its value is fen."""

    def __init__(self, **options: Any) -> None:
        super().__init__(pattern=_SUM, **options)

    def run_validation(self, *args: Any, **options: Any) -> Any:
        """Parse what has the shape."""
        return fen_from_yuan(super().run_validation(*args, **options))


class UploadQuery(StrictSerializer):
    """What the file is, and what it holds by the sender's own count."""

    kind = ChoiceField(UPLOADED, help_text="数据类别 / kind of file")
    rows = WholeNumberField(
        low=0, high=MAX_ROWS, in_query=True, help_text="控制行数 / control total of rows"
    )
    amount = SumField(
        required=False, help_text="控制金额合计（元）/ control total of the kind's amounts, yuan"
    )
    institution_code = CodeField(
        required=False,
        max_length=INSTITUTION_CODE_CHARACTERS,
        help_text="哪家机构（含下级）的数据；默认为客户端的机构 / whose rows; by default the client's own",
    )


class Imports(RuledEndpoint, AnswersByKey):
    """Files of up to two million rows. No transaction is open while one comes in."""

    max_bytes = MAX_FILE_BYTES
    parser_classes = [CSVParser, XLSXParser]
    needs = dict.fromkeys(("create", "by_key"), "imports:write")
    received: Received | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who asks is found out in a transaction of its own, which ends before the body is read."""
        with transaction.atomic():
            super().initial(request, *args, **kwargs)

    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        """Remove what was received, whatever became of it: what was taken is in the store."""
        if self.received is not None:
            self.received.discard()
        answer: Response = super().finalize_response(*args, **kwargs)
        return answer

    def _handle(self, error: Exception, context: Mapping[str, Any]) -> Response | None:
        with transaction.atomic():  # undone, as an endpoint's own is
            return super()._handle(error, context)

    def refusal(self, error: Exception) -> Problem | None:
        """Other bodies are wanted here than elsewhere."""
        if isinstance(error, UnsupportedMediaType):
            return Problem("unsupported_media_type", MEDIA)
        return super().refusal(error)

    @extend_schema(
        summary="上传导入文件 / upload a file to import",
        operation_id="post_import",
        parameters=[UploadQuery],
        request={CSV: WHOLE_FILE, XLSX: WHOLE_FILE},
        responses={202: JobOrdered},
    )
    def create(self, request: Request) -> Response:
        """Keep the file and have it taken in, whole or not at all: 202."""
        asked = query(UploadQuery, request)
        self._require_allowed(asked)
        file = request.data
        if not isinstance(file, Received) or not file.size:
            raise Problem("invalid", faults=[Fault("", "required", EMPTY)])
        with transaction.atomic():
            self.begin()
            return self.acted(lambda at: self._bring(asked, file, at))

    def _require_allowed(self, asked: Mapping[str, Any]) -> None:
        """Whether this client may bring such a file, and says of it what has to be said."""
        kind = asked["kind"]
        if ALSO_NEEDS.get(kind, "imports:write") not in self.caller.granted:
            raise Problem("not_permitted")
        if self.caller.scheme_codes is not None and kind != EXTERNAL:
            raise Problem("not_permitted", FINANCE_BRINGS)
        has_sum, has_amounts = "amount" in asked, control_column(kind) is not None
        if has_sum != has_amounts:
            code, told = ("required", SUM_NEEDED) if has_amounts else ("invalid", NO_SUM)
            raise Problem("refused_content", faults=[Fault("amount", code, told)])
        if "institution_code" not in asked and self.caller.only is None:
            raise Problem(
                "refused_content", faults=[Fault("institution_code", "required", WHICH_BANK)]
            )

    def _bring(self, asked: Mapping[str, Any], file: Received, at: datetime) -> Response:
        place = self._place(asked.get("institution_code"))
        path = file.path.rename(file.path.with_suffix(ENDINGS[file.media_type]))
        return bringing.ordered(
            upload=bringing.named(asked["kind"], path),
            controls=Controls(asked["rows"], asked.get("amount")),
            institution_id=place.pk,
            scope=place.scope,
            actor=self.caller.actor,
            at=at,
        )

    def _place(self, code: str | None) -> Institution:
        """The institution whose rows the file holds, with those below it."""
        if code is not None:
            return self.within(code, "institution_code")[0]
        only = self.caller.only
        assert only is not None, "asked for where it has several"
        scope.set_scope(*only)
        return Institution.objects.get(pk=only.lo)
