"""The same study through the Python API: ``python run.py [OUT]``."""

import sys
from pathlib import Path

from holdfast import Study

HERE = Path(__file__).parent


def main(out: Path, turns: int | None = None) -> None:
    study = Study.from_yaml(HERE / "study.yaml")
    if turns is not None:
        study = study.replace(turns=turns)
    results = study.run(out).results
    print(results.headline)
    for simulator, figures in results.simulators.items():
        for name, candidate in figures.candidates.items():
            print(f"{simulator:>14}  {name:>14}  adherence {candidate.adherence.mean:.2f}")
        if figures.model is not None:
            print(f"{simulator:>14}  messages of its own: {figures.model.own_messages:.0%}")
            print(f"{simulator:>14}  judgements of its own: {figures.model.own_judgements:.0%}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/two_simulators_api"))
