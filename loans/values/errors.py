"""The one way to refuse: a stable code and a message that says what to do next."""


def bilingual(zh: str, en: str) -> str:
    """Return the message as people read it: Chinese first, then English."""
    return f"{zh} / {en}"


class DomainError(Exception):
    """A refusal by a rule. `code` is stable; `message` says what is wrong and what to do next."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        """Show the message alone: it is written for people."""
        return self.message
