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
    for name, candidate in results.candidates.items():
        print(f"{name:>20}  retention {candidate.retention.mean}  |gap| {candidate.gap_abs.mean}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/population_api"))
