"""The same study through the Python API: ``python run.py [OUT [ADDRESS]]``; without Ray installed, on this machine."""

import sys
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path

from holdfast.simulator.config.study import load_study
from holdfast.simulator.runtime.executor import LOCAL
from holdfast.simulator.runtime.pipeline import run_loop

HERE_FOLDER = Path(__file__).parent


def main(out: Path, turns: int | None = None, address: str | None = None) -> None:
    study = load_study(HERE_FOLDER / "study.yaml")
    if turns is not None:
        study = study.model_copy(update={"turns": turns})
    if find_spec("ray") is None:
        where = nullcontext(LOCAL)
    else:
        from holdfast.simulator.on_ray.cluster import connected

        where = connected(address, engines=None)
    with where as place:
        results = run_loop(study, out, place=place)
    print(results["headline"])


if __name__ == "__main__":
    out, address = [*sys.argv[1:3], *(None, None)][:2]
    main(Path(out or "runs/ray"), address=address)
