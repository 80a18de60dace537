"""The error tree.

    PoreconvError
    ├── ConfigError         a setting that cannot be meant
    ├── FormatError         a file that is not what its name or header says
    ├── ReadDropped         one read that cannot be used; its ``reason`` goes into the drop ledger
    │   ├── SignalError     ... because of its squiggle
    │   └── LabelError      ... because its labels don't fit it
    ├── StoreError          a folder that is no dataset, or one that does not fit the others
    ├── BundleError         a file that is no trained model
    ├── MismatchError       reads that a model was not trained for
    └── WorkerError         a process that died at its work

Every message says where (file, read, field), what is wrong, and what to do. Only ``cli`` catches ``PoreconvError``.
"""


class PoreconvError(Exception):
    """Base of every error that poreconv raises on purpose."""


class ConfigError(PoreconvError):
    """A setting that cannot be meant: a negative length, an unknown name."""


class FormatError(PoreconvError):
    """A file that is not what its name or header says."""


class ReadDropped(PoreconvError):  # noqa: N818 - the name says what becomes of the read
    """One read that cannot be used; the file around it may be fine.

    Args:
        message: Where, what, and what to do.
        reason: The short name under which the drop ledger counts it, such as ``"flat"``.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the reason, so that the error crosses from a worker process."""
        return _rebuild, (type(self), str(self), self.reason)


class SignalError(ReadDropped):
    """A read without a usable squiggle."""


class LabelError(ReadDropped):
    """A label that does not fit its read."""


class StoreError(PoreconvError):
    """A folder that is no prepared dataset, or datasets that don't fit together."""


class BundleError(PoreconvError):
    """A file that is no trained model of this project."""


class MismatchError(PoreconvError):
    """Reads that a model was not trained for."""


class WorkerError(PoreconvError):
    """A process that died at its work."""


class UntriedWarning(UserWarning):
    """Reads that a model may label, though nobody has measured how well."""


class ConfoundedWarning(UserWarning):
    """Classes that a model may tell apart by something else than what they are called after."""


def _rebuild(kind: type[ReadDropped], message: str, reason: str) -> ReadDropped:
    return kind(message, reason=reason)
