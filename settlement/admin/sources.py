"""Where a value comes from: documents and articles beside it, assumptions named once below."""

from __future__ import annotations

import re

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.sections import Section, texts
from loans.admin.base import own_language
from settlement.services.explained import Source, Sources

DECISION = re.compile(r"D\d+")


class Notes:
    """Tags of sources; what is assumed is collected, to be told once at the end."""

    def __init__(self) -> None:
        self.told: dict[tuple[str, str], None] = {}  # one decision may assume two values (D1)

    def tag(self, *groups: Sources) -> str:
        """`〔财金〔2026〕4号 一(三)；假定 D5〕`, or nothing."""
        sources = [source for group in groups for source in group]
        names = list(dict.fromkeys(f"{s.document} {s.article}" for s in sources if s.article))
        assumed = list(dict.fromkeys(self._assumed(s) for s in sources if not s.article))
        if assumed:
            names.append(gettext("假定 %(names)s") % {"names": " ".join(assumed)})
        return f"〔{gettext('；').join(names)}〕" if names else ""

    def _assumed(self, source: Source) -> str:
        found = DECISION.match(source.assumed_because) or DECISION.match(source.key)
        name = found.group() if found else source.key
        self.told[name, own_language(source.assumed_because)] = None
        return name

    def sections(self) -> list[Section]:
        """What the assumptions say, if any was named."""
        if not self.told:
            return []
        rows = [(name, text.removeprefix(f"{name}:").strip()) for name, text in self.told]
        return [
            Section(
                title=_("假定（文件未写明之处）"), columns=texts(_("编号"), _("内容")), rows=rows
            )
        ]
