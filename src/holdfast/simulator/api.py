"""holdfast from Python: a study from YAML or from its settings, run in a line, awaited in an event loop.

::

    from holdfast import Study

    done = Study.from_yaml("study.yaml").run(out="runs/mine")
    done.results.candidates["routed"].retention

    done = await Study.from_yaml("study.yaml").arun(out="runs/mine", callbacks=[my_langchain_handler])

Nothing heavy is imported before a study runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.config.study_file import load_study

if TYPE_CHECKING:
    import pandas
    from langchain_core.callbacks import Callbacks

    from holdfast.agents.protocols import ChatModel
    from holdfast.simulator.logs.model import LogResults
    from holdfast.simulator.records import EpisodeRecord
    from holdfast.simulator.results.model import Results
    from holdfast.simulator.runtime.executor import Executor
    from holdfast.simulator.runtime.rehearsal import Forecast

AnyPath = str | Path


@dataclass(frozen=True, slots=True)
class Run:
    """What a run left in ``out``. ``results``: what results.json holds (``holdfast report --schema``)."""

    out: Path
    results: Results

    @property
    def report(self) -> Path:
        """The page to open."""
        return self.out / "report.html"

    @classmethod
    def open(cls, folder: AnyPath) -> Run:
        """Open a run folder that a study left.

        Raises:
            InputError: There is no results.json; ``holdfast report`` makes it.
        """
        from holdfast.simulator.results.store import read_results

        return cls(Path(folder), read_results(Path(folder)))

    def turns(self) -> pandas.DataFrame:
        """Return one row a turn: what was said, rated, felt and served; the columns of ``holdfast export --schema``."""
        from holdfast.simulator.export import turns_frame
        from holdfast.simulator.journal.store import JOURNAL

        return turns_frame(self.out / JOURNAL)

    def episodes(self) -> Iterator[EpisodeRecord]:
        """Every conversation, read from the journal one at a time."""
        from holdfast.simulator.journal.store import JOURNAL, Journal

        with Journal.read(self.out / JOURNAL) as journal:
            yield from journal.episodes()


@dataclass(frozen=True, slots=True)
class Study:
    """One experiment, ready to run."""

    config: StudyConfig

    @classmethod
    def from_yaml(cls, path: AnyPath) -> Study:
        """Read a study's YAML file. An InputError has all its faults."""
        return cls(load_study(path))

    @classmethod
    def of(cls, **settings: Any) -> Study:
        """Take the same settings as in YAML, as keywords: ``Study.of(candidates=["base"], turns=12)``.

        A pydantic.ValidationError says what is wrong with them.
        """
        return cls(StudyConfig.model_validate(settings))

    def replace(self, **settings: Any) -> Study:
        """The same study with other settings: ``study.replace(turns=12)``. Raises as :meth:`of` does."""
        return Study.of(**(self.config.model_dump(mode="json", exclude_none=True) | settings))

    def run(
        self,
        out: AnyPath,
        *,
        resume: bool = False,
        replay: AnyPath | None = None,
        callbacks: Callbacks = None,
        executor: Executor | None = None,
        quiet: bool = True,
        wait_for_endpoint: float = 0.0,
    ) -> Run:
        """Do all that the study asks for in the folder ``out``.

        Args:
            out: The run folder; made where it is absent.
            resume: Go on from what stands in ``out``.
            replay: A run folder whose journal gives the candidates' replies, instead of models.
            callbacks: LangChain handlers.
            executor: Where models are loaded and conversations held, such as :func:`holdfast.ray_executor` gives; this
                machine by default.
            quiet: False shows progress on standard error, as the command line does.
            wait_for_endpoint: Seconds that an endpoint is waited for that is still loading its model.

        See :func:`holdfast.simulator.runtime.pipeline.run_pipeline` for the errors.
        """
        return asyncio.run(
            self.arun(
                out,
                resume=resume,
                replay=replay,
                callbacks=callbacks,
                executor=executor,
                quiet=quiet,
                wait_for_endpoint=wait_for_endpoint,
            )
        )

    async def arun(
        self,
        out: AnyPath,
        *,
        resume: bool = False,
        replay: AnyPath | None = None,
        callbacks: Callbacks = None,
        executor: Executor | None = None,
        quiet: bool = True,
        wait_for_endpoint: float = 0.0,
    ) -> Run:
        """As :meth:`run`, in an event loop of one's own."""
        from holdfast.simulator.monitor.viewer import viewer
        from holdfast.simulator.runtime.executor import LOCAL
        from holdfast.simulator.runtime.pipeline import run_pipeline

        results = await run_pipeline(
            self.config,
            Path(out),
            resume=resume,
            viewer=viewer(quiet=quiet),
            replay=None if replay is None else Path(replay),
            callbacks=callbacks,
            executor=executor or LOCAL,
            wait_for_endpoint=wait_for_endpoint,
        )
        return Run(Path(out), results)

    def plan(self, *, rehearse: bool = True, turns: int = 4) -> Forecast:
        """Say what the study comes to: conversations, turns and, by a short rehearsal, tokens, hours and money.

        Raises InputError where it cannot be run, ModelError where no conversation of the rehearsal came to an end.
        """
        from holdfast.simulator.runtime.rehearsal import forecast

        return asyncio.run(forecast(self.config, rehearse=rehearse, turns=turns))

    def train(self, out: AnyPath, *, quiet: bool = True) -> Mapping[str, Any]:
        """Write only the dialogues, adapters and router that the study asks for; returns what training measured.

        Raises InputError where the study trains nothing, or ``out`` has adapters already.
        """
        from holdfast.simulator.monitor.viewer import viewer
        from holdfast.simulator.runtime.pipeline import train

        return asyncio.run(train(self.config, Path(out), viewer=viewer(quiet=quiet)))


def open_model(reference: str) -> ChatModel:
    """Open a model by what a study calls it: ``micro``, ``smollm2``, ``hf:NAME_OR_PATH``, ``openai:MODEL``, ….

    Raises InputError for an unknown reference, ModelError where the model cannot be loaded.
    """
    from holdfast.adapters.micro import base_path
    from holdfast.agents.models.opening import open_models, references
    from holdfast.agents.models.spec import ModelSpec

    (model,) = open_models(references([ModelSpec(ref=reference)], base_path())).values()
    return model


def measure(
    files: Sequence[AnyPath],
    out: AnyPath | None = None,
    *,
    format: str | None = None,
    by: Sequence[str] | None = None,
    pattern: str | None = None,
    text: bool = False,
    assistant: str | None = None,
) -> LogResults:
    """Measure conversations that exist already, as ``holdfast measure`` does; returns the results.

    Args:
        files: Logs of conversations, or folders of them.
        out: A folder for results.json and report.html.
        format: That of the files; recognised where it is left out.
        by: Columns to group by; those that the format is used for where left out.
        pattern: Empathy pattern (or task) whose adherence is measured.
        text: True shows words of the conversations in the report.
        assistant: Who is the assistant in a log that names people and no roles.
    """
    from holdfast.simulator.logs.measure import measure_files
    from holdfast.simulator.logs.sources import open_sources
    from holdfast.simulator.report.log_page import KEPT, write_outputs

    sources = open_sources([Path(file) for file in files], format, assistant=assistant)
    results, tallies = measure_files(sources, by=by, pattern=pattern, keep=KEPT if text else 0)
    if out is not None:
        write_outputs(Path(out), results, tallies)
    return results
