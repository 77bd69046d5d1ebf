"""The same study through the Python API: ``python run.py [OUT]``."""

import sys
from pathlib import Path

from holdfast.simulator.config.study import load_study
from holdfast.simulator.runtime.pipeline import run_loop

HERE = Path(__file__).parent


def main(out: Path, turns: int | None = None) -> None:
    study = load_study(HERE / "study.yaml")
    if turns is not None:
        study = study.model_copy(update={"turns": turns})
    results = run_loop(study, out)
    print(results["headline"])
    for name, candidate in results["candidates"].items():
        print(f"{name:>20}  retention {candidate['retention']['mean']}  |gap| {candidate['gap_abs']['mean']}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/stress_test"))
