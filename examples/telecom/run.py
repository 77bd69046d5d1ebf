"""The study of this folder with the bot's function as a candidate beside the models: ``python run.py [OUT]``."""

import importlib.util
import sys
from pathlib import Path

from holdfast import Study, register_function

HERE = Path(__file__).parent


def main(out: Path, turns: int | None = None) -> None:
    spec = importlib.util.spec_from_file_location("bot", HERE / "bot.py")
    bot = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bot)
    register_function("our_bot", bot.reply)
    study = Study.from_yaml(HERE / "study.yaml").replace(candidates=["base", "system_prompt", "our_bot"])
    if turns is not None:
        study = study.replace(turns=turns)
    print(study.run(out).results.headline)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/our_bot"))
