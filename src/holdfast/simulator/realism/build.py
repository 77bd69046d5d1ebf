"""Realism, measured: simulated users beside real ones, each pair told apart, and users at fault."""

from collections.abc import Sequence
from itertools import combinations, product
from pathlib import Path

from holdfast.core.errors import InputError
from holdfast.simulator.measure.bootstrap import too_few
from holdfast.simulator.realism.apart import Vectors, encoder_vectors, told_apart
from holdfast.simulator.realism.habits import habits_of
from holdfast.simulator.realism.model import RealismReport
from holdfast.simulator.realism.talks import TalkSource, named_apart, real_talks, simulated_talks
from holdfast.simulator.results.model import installed_version
from holdfast.simulator.results.user_faults import UserFaultResults
from holdfast.simulator.runtime.pipeline import measured_results
from holdfast.simulator.runtime.recorded_run import read_recorded_run


def measure_realism(
    runs: Sequence[Path], against: Sequence[Path], *, seed: int = 0, encoder: bool = True, word: str | None = None
) -> RealismReport:
    """Hold the simulated users of ``runs`` against the real ones of ``against``.

    Args:
        runs: Run folders.
        against: Logs of real people; of several, each pair gives a floor: how well two data sets of real people are
            told apart.
        seed: Of the samples and the bootstrap.
        encoder: Ask MiniLM too, where its weights are here.
        word: Format of the logs; recognised where None.

    Raises:
        InputError: A file or a run cannot be read, or nobody says anything in it.
        JournalError: A run's journal is damaged.
    """
    real = [(str(path), real_talks(path, word)) for path in against]
    simulated = [(name, source) for name, run in _named(runs).items() for source in simulated_talks(run)]
    sources = named_apart([*simulated, *real])
    if len({source.name for source in sources}) < len(sources):
        raise InputError("a run or a log is given twice; name each once")
    ours, theirs = sources[: len(simulated)], sources[len(simulated) :]
    vectors, why = _vectors() if encoder else (None, "not asked for")
    pairs = [*product(ours, theirs), *combinations(theirs, 2)]
    return RealismReport(
        holdfast_version=installed_version(),
        seed=seed,
        encoder=why,
        sources=habits_of(sources, seed),
        told_apart=[each for first, second in pairs for each in told_apart(first, second, seed, vectors)],
        faults=_faults(runs),
        notes=_notes(sources, theirs),
    )


def _vectors() -> tuple[Vectors | None, str]:
    try:
        return encoder_vectors(), ""
    except InputError as error:
        return None, str(error).replace("the encoder rater", "the second classifier")


def _faults(runs: Sequence[Path]) -> dict[str, UserFaultResults]:
    measured = {name: measured_results(read_recorded_run(run)).user_faults for name, run in _named(runs).items()}
    return {name: faults for name, faults in measured.items() if faults is not None}


def _named(runs: Sequence[Path]) -> dict[str, Path]:
    """Name runs by their folder's own name, or by the whole path where two have one name. Each must be given once."""
    names = [run.resolve().name for run in runs]
    if len({run.resolve() for run in runs}) < len(runs):
        raise InputError("a run is given twice; name each once")
    return {name if names.count(name) == 1 else str(run): run for name, run in zip(names, runs, strict=True)}


def _notes(sources: Sequence[TalkSource], real: Sequence[TalkSource]) -> list[str]:
    few = [(source.name, too_few(source.people)) for source in sources]
    notes = [f"{name}: {why}" for name, why in few if why]
    if len(real) < 2:
        notes.append(
            "no floor: give a second --against, and it is told how well two data sets of people are told apart"
        )
    return notes
