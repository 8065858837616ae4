"""The engine's one refusal: a scheme file that cannot be read as law."""

from __future__ import annotations

from collections.abc import Sequence


class TermsError(Exception):
    """A scheme file breaks the grammar; carries every problem, not only the first.

    `problems` are lines `file: key: 中文 / English`, ready for a person.
    """

    code = "terms_invalid"

    def __init__(self, problems: Sequence[str]) -> None:
        assert problems, "a TermsError names at least one problem"
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))
