"""The study of this folder without any network: ``python run.py [OUT]``.

A server of a few lines speaks OpenAI's protocol on this machine and answers from the embedded model; holdfast asks it
as it would ask vLLM or OpenAI.
"""

import asyncio
import sys
import threading
from pathlib import Path

from aiohttp import web

from holdfast import GenerationRequest, Message, Sampling, Study, open_model

HERE = Path(__file__).parent


async def serve(started: threading.Event, port: list[int]) -> None:
    """Chat completions from the embedded model, until the program ends."""
    model = open_model("micro")

    async def complete(request: web.Request) -> web.Response:
        body = await request.json()
        messages = tuple(Message(message["role"], message["content"]) for message in body["messages"])
        sampling = Sampling(body["temperature"], body["top_p"], body["max_tokens"])
        made = await model.generate(GenerationRequest(str(body["seed"]), messages, body["seed"], sampling=sampling))
        choice = {"message": {"role": "assistant", "content": made.text}, "finish_reason": made.finish_reason}
        usage = {"prompt_tokens": made.prompt_tokens, "completion_tokens": made.completion_tokens}
        return web.json_response({"model": body["model"], "choices": [choice], "usage": usage})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port.append(runner.addresses[0][1])
    started.set()
    await asyncio.Event().wait()


def main(out: Path, turns: int | None = None) -> None:
    started, port = threading.Event(), list[int]()
    threading.Thread(target=lambda: asyncio.run(serve(started, port)), daemon=True).start()
    started.wait()
    study = Study.from_yaml(HERE / "study.yaml")
    study = study.replace(model={"ref": study.config.model.ref, "base_url": f"http://127.0.0.1:{port[0]}/v1"})
    if turns is not None:
        study = study.replace(turns=turns)
    results = study.run(out).results
    print(results.headline)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/endpoint"))
