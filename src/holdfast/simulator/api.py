"""holdfast from Python: a study from YAML or from its settings, run in a line, awaited in an event loop.

::

    from holdfast import Study

    done = Study.from_yaml("study.yaml").run(out="runs/mine")
    done.results["candidates"]["routed"]["retention"]

    done = await Study.from_yaml("study.yaml").arun(out="runs/mine", callbacks=[my_langchain_handler])

Nothing heavy is imported before a study runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.simulator.config.study import StudyConfig, load_study

if TYPE_CHECKING:
    from langchain_core.callbacks import Callbacks

    from holdfast.simulator.records import EpisodeRecord

AnyPath = str | Path


@dataclass(frozen=True, slots=True)
class Run:
    """What a run left in ``out``. ``results``: as in results.json (see ``results/schema.json``)."""

    out: Path
    results: Mapping[str, Any]

    @property
    def report(self) -> Path:
        """The page to open."""
        return self.out / "report.html"

    def episodes(self) -> Iterator[EpisodeRecord]:
        """Every conversation, read from the journal one at a time."""
        from holdfast.simulator.journal.store import Journal

        with Journal.read(self.out / "journal.sqlite") as journal:
            yield from journal.episodes()


@dataclass(frozen=True, slots=True)
class Study:
    """One experiment, ready to run."""

    config: StudyConfig

    @classmethod
    def from_yaml(cls, path: AnyPath) -> Study:
        """A study's YAML file. An InputError has all its faults."""
        return cls(load_study(path))

    @classmethod
    def of(cls, **settings: Any) -> Study:
        """The same settings as in YAML, as keywords: ``Study.of(candidates=["base"], turns=12)``.

        A pydantic.ValidationError says what is wrong with them.
        """
        return cls(StudyConfig.model_validate(settings))

    def run(
        self,
        out: AnyPath,
        *,
        resume: bool = False,
        replay: AnyPath | None = None,
        callbacks: Callbacks = None,
        quiet: bool = True,
    ) -> Run:
        """Do all that the study asks for in the folder ``out``; see :func:`holdfast.simulator.runtime.pipeline.run_loop` for the errors.

        ``replay``: a run folder whose journal gives the candidates' replies, instead of models. ``callbacks``:
        LangChain handlers. ``quiet``: False shows progress on standard error, as the command line does.
        """
        from holdfast.simulator.cli.studies.stage import viewer
        from holdfast.simulator.runtime.pipeline import run_loop

        folder, source = Path(out), None if replay is None else Path(replay)
        shown = viewer(quiet=quiet)
        return Run(
            folder, run_loop(self.config, folder, resume=resume, viewer=shown, replay=source, callbacks=callbacks)
        )

    async def arun(
        self,
        out: AnyPath,
        *,
        resume: bool = False,
        replay: AnyPath | None = None,
        callbacks: Callbacks = None,
        quiet: bool = True,
    ) -> Run:
        """As :meth:`run`, in an event loop of one's own."""
        from holdfast.simulator.cli.studies.stage import viewer
        from holdfast.simulator.runtime.pipeline import run_loop_async

        folder, source = Path(out), None if replay is None else Path(replay)
        results = await run_loop_async(
            self.config, folder, resume=resume, viewer=viewer(quiet=quiet), replay=source, callbacks=callbacks
        )
        return Run(folder, results)
