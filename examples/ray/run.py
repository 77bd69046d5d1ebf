"""The same study through the Python API: ``python run.py [OUT [ADDRESS]]``; without Ray installed, on this machine."""

import sys
from importlib.util import find_spec
from pathlib import Path

from holdfast import Study

HERE = Path(__file__).parent


def main(out: Path, turns: int | None = None, address: str | None = None) -> None:
    study = Study.from_yaml(HERE / "study.yaml")
    if turns is not None:
        study = study.replace(turns=turns)
    if find_spec("ray") is None:
        results = study.run(out).results
    else:
        from holdfast import ray_executor

        with ray_executor(address) as executor:
            results = study.run(out, executor=executor).results
    print(results.headline)


if __name__ == "__main__":
    out, address = [*sys.argv[1:3], *(None, None)][:2]
    main(Path(out or "runs/ray_api"), address=address)
