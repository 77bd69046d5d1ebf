"""The same study through the Python API: ``python run.py [OUT]``."""

import sys
from pathlib import Path

from simulator.loop import run_loop
from simulator.study import load_study

HERE = Path(__file__).parent


def main(out: Path, turns: int | None = None) -> None:
    study = load_study(HERE / "study.yaml")
    if turns is not None:
        study = study.model_copy(update={"turns": turns})
    results = run_loop(study, out)
    print(results["headline"])
    for simulator, figures in results["simulators"].items():
        for name, candidate in figures["candidates"].items():
            print(f"{simulator:>14}  {name:>14}  adherence {candidate['adherence']['mean']:.2f}")
        played = figures["model"]
        if played is not None:
            print(f"{simulator:>14}  words of its own: {1 - played['stand_in_messages'] / played['messages']:.0%}")
            print(f"{simulator:>14}  judgements of its own: {1 - played['stand_in_judgements'] / played['judgements']:.0%}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/two_simulators"))
