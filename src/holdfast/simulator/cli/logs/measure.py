"""``holdfast measure``: measure empathy in existing conversation logs."""

from pathlib import Path
from typing import Any

import click

from holdfast.simulator.cli.console import SEED, Output, output_options, print_lines, world_options
from holdfast.simulator.cli.raters.options import HELP, RaterOptions, rater_specs


@click.command(
    epilog="""\b
Examples:
  holdfast measure logs.jsonl                       the format is recognised
  holdfast measure logs.jsonl --by model --pattern companion --out reports
  holdfast measure logs.jsonl --patterns mine.yaml --pattern my_pattern
  holdfast measure turns.csv --format sage --json | jq .groups
  holdfast measure sense-7.xlsx --format sense7 --out reports/sense7 --no-text
  holdfast measure chats.csv --columns conversation=chat,role=who,text=message
  holdfast measure runs/first runs/second --by file --by candidate
  holdfast measure "WhatsApp Chat with Ann.txt" --assistant Helper
  holdfast measure logs.jsonl --rater linear --rater openai:gpt-4o
  holdfast judge logs.jsonl --model openai:gpt-4o --out judge.jsonl
  holdfast measure logs.jsonl --scores judge.jsonl  its scores, as given
  holdfast measure logs.jsonl --scores-out turns.parquet
      (a row a reply, for pandas or R; the columns carry their meaning)
  holdfast measure logs.jsonl --by model --methods
      (a paragraph for a paper, and BibTeX)

\b
Formats (docs/formats.md has their layouts):
  messages   OpenAI chat, ShareGPT,     chatgpt   ChatGPT's export
             LangChain, LMSYS           claude    Claude's export
  csv        rows with named columns    telegram  Telegram's export, JSON
  trl        prompts with replies       whatsapp  WhatsApp's exported chat
  oasst      OpenAssistant's trees      journal   a run folder of holdfast
  ultrachat  UltraChat                  ieval     iEval's CSV, a row a chat
  sense7     SENSE-7's workbook         sage      SAGE, dialogues or turns.csv
             (needs openpyxl)           sdialog   sdialog's Dialog, JSON
  esconv     ESConv

Files may be CSV, JSON, JSON lines or Parquet, packed with gzip or zstd; a folder is read with all its files.

--columns NAME=COLUMN,... for csv. Names: conversation; role and text, or user and reply; speaker; order (turns or
times, which rise); label.X (a number about a message), after.X (about the conversation). Any other column may be
grouped by, and the file by --by file. In a log that names people, --assistant NAME says who is the assistant.

Every reply is rated for expressed empathy, 0-2; adherence to a pattern is measured where --pattern names one. With
several raters the first makes the curves, on the scale of the pattern, and the others stand beside it. A bad line is
skipped, counted and shown with its number. Length stands beside every curve: it is the rival explanation."""
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "word", help="Format of the files; left out, it is recognised.")
@click.option("--columns", help="Which column of a plain CSV is what.")
@click.option("--assistant", metavar="NAME", help="Who is the assistant, in a log that names people and no roles.")
@click.option(
    "--by", multiple=True, help="Column to group by; again for several. Left out: what the format is used for."
)
@click.option("--pattern", help="Empathy pattern (or task) whose adherence is measured.")
@world_options
@click.option("--rater", "words", multiple=True, help=f"{HELP}  [default: linear]")
@click.option(
    "--scores",
    "stored",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Scores given before, by holdfast judge --out or --scores-out; instead of rating again.",
)
@click.option("--base-url", help="The judges' server, e.g. http://localhost:8000/v1.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for results.json and report.html.")
@click.option(
    "--scores-out", type=click.Path(path_type=Path, dir_okay=False), help="File of all scores: .parquet, .jsonl, .csv."
)
@click.option("--methods", is_flag=True, help="Print how it was measured, for a paper, and BibTeX, instead of tables.")
@click.option("--no-text", is_flag=True, help="No word of the conversations in the report.")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that rate; the number of cores if left out.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the bootstrap.")
@output_options
def measure(
    word: str | None,
    files: tuple[Path, ...],
    words: tuple[str, ...],
    stored: tuple[Path, ...],
    base_url: str | None,
    out: Path | None,
    methods: bool,
    output: Output,
    **how: Any,
) -> None:
    """Measure the conversations in FILES: does the empathy in them hold?"""
    from holdfast.adapters.micro import base_path
    from holdfast.agents.raters.protocol import EXPRESSED
    from holdfast.agents.raters.registry import open_raters
    from holdfast.personas.world import world_with
    from holdfast.simulator.cli.logs.tables import print_results
    from holdfast.simulator.cli.progress import counting
    from holdfast.simulator.logs.measure import measure_files
    from holdfast.simulator.logs.methods import bibtex, methods_text
    from holdfast.simulator.logs.sources import open_sources
    from holdfast.simulator.logs.stored_scores import read_all_stored, with_stored
    from holdfast.simulator.report.log_page import KEPT, write_outputs

    scores = read_all_stored(stored)
    words = words or (() if any(each.scale.id == EXPRESSED.id for each in scores.values()) else ("linear",))
    raters = with_stored(scores, open_raters(rater_specs(words, RaterOptions(base_url=base_url)), base_path()))
    sources = open_sources(files, word, how["columns"], how["assistant"])
    with counting("conversations", "turns", quiet=output.bare) as progress:
        results, tallies = measure_files(
            sources,
            by=how["by"] or None,
            pattern=how["pattern"],
            world=world_with(how["own_tasks"], how["own_patterns"]),
            raters=raters,
            keep=KEPT if out and not how["no_text"] else 0,
            workers=how["workers"],
            seed=how["seed"],
            scores_out=how["scores_out"],
            progress=progress,
        )
    if out is not None:
        write_outputs(out, results, tallies)

    def show() -> None:
        if methods:
            print_lines(f"{methods_text(results)}\n\n{bibtex(results)}")
        else:
            print_results(results)
        if out is not None:
            print_lines(f"\nreport   {out / 'report.html'}\nresults  {out / 'results.json'}")
        if how["scores_out"] is not None:
            print_lines(f"scores   {how['scores_out']}")

    def as_json() -> Any:
        if methods:
            return {"methods": methods_text(results), "bibtex": bibtex(results)}
        return results.model_dump(mode="json")

    output.show(as_json, show)
