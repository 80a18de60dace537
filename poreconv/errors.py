"""The error tree.

    PoreconvError
    ├── ConfigError         an impossible setting
    ├── FormatError         a file that cannot be read, or whose content does not agree with its name or header
    ├── ReadDropped         an unusable read; its ``reason`` goes into the drop ledger
    │   ├── SignalError     ... because of its squiggle
    │   ├── LabelError      ... because its labels do not fit it
    │   └── MismatchError   ... because the model was not trained for such reads
    ├── StoreError          a folder that is not a store, or a store that does not fit the others
    ├── BundleError         a file that is not a trained model
    ├── WorkerError         a process that died, or a cluster that does not work
    └── MachineError        what the machine refuses: no permission, a full disk, no memory

Every message contains the place (file, read, field), what is wrong, and what to do. Only ``cli`` catches
``PoreconvError``.
"""

from typing import ClassVar


class PoreconvError(Exception):
    """Base of every error that poreconv raises on purpose."""


class ConfigError(PoreconvError):
    """An impossible setting: a negative length, an unknown name."""


class FormatError(PoreconvError):
    """A file that cannot be read, or whose content does not agree with its name or header."""


class ReadDropped(PoreconvError):  # noqa: N818 - it is not an error of the program: the read is dropped
    """An unusable read; the other reads of its file may be usable.

    Args:
        message: File and read, what is wrong, and what to do.
        reason: Short name under which the drop ledger counts the read, such as ``"flat"``.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the reason, so that a worker process can pass the error on."""
        return _rebuild, (type(self), str(self), self.reason)


class SignalError(ReadDropped):
    """A read without a usable squiggle."""


class LabelError(ReadDropped):
    """A label that does not fit its read."""


class MismatchError(ReadDropped):
    """A read that a model was not trained for; also the error where no read fits."""

    REASONS: ClassVar[tuple[str, ...]] = ("wrong_chemistry", "wrong_rate", "unknown_chemistry")
    """Why a read does not fit; the last one only where the model is to be chosen by the chemistry."""


class StoreError(PoreconvError):
    """A folder that is not a store, or stores that do not fit together."""


class BundleError(PoreconvError):
    """A file that is not a trained model of this project."""


class WorkerError(PoreconvError):
    """A process that died, or a cluster that does not work."""


class MachineError(PoreconvError):
    """What the machine refuses: no permission, a full disk, a name that is too long, no memory."""


class UntriedWarning(UserWarning):
    """Reads that a model labels although its accuracy on such reads has not been measured."""


class MisfitWarning(UserWarning):
    """Files whose first reads a model was not trained for."""


class ConfoundedWarning(UserWarning):
    """Classes that a model may distinguish by something other than what they are named after."""


def _rebuild(kind: type[ReadDropped], message: str, reason: str) -> ReadDropped:
    return kind(message, reason=reason)
