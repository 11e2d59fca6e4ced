"""Why a repository or a change could not be read: one tree of errors, each with what to do next."""


class SourceError(Exception):
    """What happened and why is `message`; what to do next is `remedy`."""

    exit_code = 2  # usage or configuration (DESIGN 11)

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message.removesuffix('.')}. {remedy}")
        self.message = message
        self.remedy = remedy


class GitMissing(SourceError):
    """No git that we can use is on the PATH."""


class NotARepository(SourceError):
    """The path is no git repository, or git refuses to work in it."""


class UnknownRevision(SourceError):
    """A revision names no commit here."""


class UnbornBranch(SourceError):
    """HEAD names a branch that has no commit yet."""


class NoTarget(SourceError):
    """The branch that the change would land on is not to be found."""


class ShallowEdge(SourceError):
    """The history that is needed was cut off by a shallow clone."""


class MissingObject(SourceError):
    """An object that the repository refers to is not there or is damaged."""


class TooLarge(SourceError):
    """An object is larger than what we read into memory."""


class RefMoved(SourceError):
    """A ref was not what the caller took it to be, or git would not move it."""


class NotPushed(SourceError):
    """A remote did not take what was pushed to it."""


class GitFailed(SourceError):
    """A git command failed in a way that no other error names."""
