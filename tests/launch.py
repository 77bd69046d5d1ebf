"""Run a module of the tests as a script: ``python tests/launch.py tests.bench [ARGUMENTS]``.

``python -m`` would put the checkout on ``sys.path``, and with it the links ``simulator``, ``personas``, ``agents`` and
``adapters``, under which our modules could be imported a second time. Here only the package ``tests`` is made known.
"""

import runpy
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
LAUNCH = str(HERE / "launch.py")  # for commands of other processes


def know_tests() -> None:
    """Let ``import tests.…`` find this folder."""
    if "tests" not in sys.modules:
        spec = ModuleSpec("tests", None, is_package=True)
        spec.submodule_search_locations = [str(HERE)]
        sys.modules["tests"] = module_from_spec(spec)


if __name__ == "__main__":
    sys.path[:] = [place for place in sys.path if Path(place or ".").resolve() not in (HERE, HERE.parent)]
    know_tests()
    module = sys.argv[1]
    sys.argv = sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
