"""Every error that holdfast raises on purpose.

::

    HoldfastError            exit 1: shown to the user without a traceback
    ├── InputError           exit 2: a file, an option or a value is wrong, or names what is not there; holds its Faults
    │   ├── DataError        a labelled data set is absent or is not what its README says
    │   └── TakenError       a run folder holds a run already, or one of another study; a JournalError too
    ├── ModelError           a model could not be loaded or did not answer
    │   ├── TrainingError    a study's experts could not be trained
    │   └── UnevenError      a model that was to be byte-reproducible is not, on this machine
    ├── JournalError         a run folder's journal is locked, foreign, damaged, or cannot be written
    ├── HaltedError          a call that waited was released because its run is being stopped; never shown
    └── BudgetError          exit 3: a run stopped because a budget is spent; its results so far are kept
"""

from collections.abc import Iterable
from dataclasses import dataclass


class HoldfastError(Exception):
    """Base class; ``str(error)`` is what the user sees."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake at one place. ``line`` and ``column`` count from 1; None where there is no such place."""

    source: str
    message: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = self.source
        if self.line is not None:
            place += f":{self.line}"
            if self.column is not None:
                place += f":{self.column}"
        return f"{place}: {self.message}"


class InputError(HoldfastError):
    """Bad input: all faults together, one a line."""

    def __init__(self, faults: Iterable[Fault] | str) -> None:
        self.faults: tuple[Fault, ...] = () if isinstance(faults, str) else tuple(faults)
        super().__init__(faults if isinstance(faults, str) else "\n".join(str(fault) for fault in self.faults))


class ModelError(HoldfastError):
    """A model could not be loaded or did not answer."""


class TrainingError(ModelError):
    """A study's experts could not be trained: mostly, because its model wrote nothing to learn from."""


class UnevenError(ModelError):
    """On this machine, a model's numbers depend on what shares its batch, though a study asks for ones that do not."""


class JournalError(HoldfastError):
    """A journal is locked, foreign, damaged, or cannot be written."""


class TakenError(InputError, JournalError):
    """A run folder holds a run already, or what stands in it belongs to another study: another folder is meant."""


class HaltedError(HoldfastError):
    """A run is being stopped, so a call that only waited for its endpoint was released. Its conversation is owed."""


class BudgetError(HoldfastError):
    """A run has spent its minutes, tokens or money and stopped; ``--resume`` continues it."""


class DataError(InputError):
    """A labelled data set is absent, or is not what its README says."""
