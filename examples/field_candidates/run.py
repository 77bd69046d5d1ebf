"""The same study through the Python API: ``python run.py [OUT]``."""

import sys
from pathlib import Path

from holdfast import Study

HERE = Path(__file__).parent


def main(out: Path, turns: int | None = None) -> None:
    study = Study.from_yaml(HERE / "study.yaml")
    if turns is not None:
        study = study.replace(turns=turns)
    run = study.run(out)
    calls = run.turns().groupby("candidate")[["calls", "prompt_tokens", "completion_tokens"]].mean()
    for name, candidate in run.results.candidates.items():
        cost = calls.loc[name]
        print(
            f"{name:>14}  adherence {candidate.adherence.mean:.2f}  calls a turn {cost['calls']:.1f}  "
            f"tokens a turn {cost['prompt_tokens']:.0f} + {cost['completion_tokens']:.0f}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/field_candidates"))
