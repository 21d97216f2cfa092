"""Errors a person can act on."""


class KvgraphError(Exception):
    """Something a user can mend. ``hint`` says how; no stack trace is shown.

    >>> str(KvgraphError("No release yet.", hint="Run: kvgraph build"))
    'No release yet. Run: kvgraph build'
    """

    def __init__(self, message: str, hint: str | None = None):
        self.message = message
        self.hint = hint
        super().__init__(f"{message} {hint}" if hint else message)
