"""The study of this folder without any network: ``python run.py [OUT]``.

A server of a few lines on this machine speaks OpenAI's protocol. It answers as a nurses' assistant in Spanish, kinder
under the prompt, and judges by counting words; your own models take its place in ``study.yaml``.
"""

import asyncio
import json
import sys
import threading
from pathlib import Path
from typing import Any

from aiohttp import web

from holdfast import Study

HERE = Path(__file__).parent
KIND = ("Siento mucho lo que cuenta.", "Entiendo que esté con ese miedo.", "Lamento que la noche sea tan larga.")
ASKS = ("¿Desde cuándo le pasa?", "¿Cómo se encuentra ahora mismo?", "¿Hay alguien con usted?")
STEPS = ("Tome la temperatura otra vez.", "Beba un poco de agua.", "Si empeora, llame al 112.", "Anote la hora.")
SIGNS = {
    "emotional_reaction": ("siento", "lamento"),
    "interpretation": ("entiendo",),
    "exploration": ("cuándo", "cómo", "alguien"),
}


def said(messages: list[dict[str, str]]) -> str:
    """A reply, by the length of the talk."""
    turn = len(messages) // 2
    step = STEPS[turn % len(STEPS)]
    if messages[0]["role"] != "system":
        return f"{step} {STEPS[(turn + 1) % len(STEPS)]}"
    return f"{KIND[turn % len(KIND)]} {ASKS[turn % len(ASKS)]} {step}"


def judged(schema: dict[str, Any], text: str) -> dict[str, Any]:
    """An answer of the form that ``schema`` asks for: more signs in the last reply of ``text``, higher numbers."""
    replies = [line.lower() for line in text.splitlines() if '"from": "assistant"' in line]
    answer: dict[str, Any] = {}
    for name, wanted in schema["properties"].items():
        score = wanted.get("anyOf", [wanted])[0]
        if "enum" in score:
            answer[name] = score["enum"][0]
        elif score.get("type") == "number":
            signs = SIGNS.get(name, [sign for kind in SIGNS.values() for sign in kind])
            met = sum(sign in reply for reply in replies[-1:] for sign in signs)
            answer[name] = min(score["maximum"], score["minimum"] + met)
        else:
            answer[name] = [] if score.get("type") == "array" else "palabras de quien responde"
    return answer


async def complete(request: web.Request) -> web.Response:
    body = await request.json()
    text = said(body["messages"])
    if "response_format" in body:
        asked = body["messages"][-1]["content"]
        text = json.dumps(judged(body["response_format"]["json_schema"]["schema"], asked), ensure_ascii=False)
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    tokens = sum(len(message["content"].split()) for message in body["messages"])
    usage = {"prompt_tokens": tokens, "completion_tokens": len(text.split())}
    return web.json_response({"model": body["model"], "choices": [choice], "usage": usage})


async def serve(started: threading.Event, port: list[int]) -> None:
    """Chat completions until the program ends."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port.append(runner.addresses[0][1])
    started.set()
    await asyncio.Event().wait()


def main(out: Path, turns: int | None = None) -> None:
    started, port = threading.Event(), list[int]()
    threading.Thread(target=lambda: asyncio.run(serve(started, port)), daemon=True).start()
    started.wait()
    model = {"ref": "openai:our-model", "base_url": f"http://127.0.0.1:{port[0]}/v1"}
    judge = {**model, "ref": "openai:our-judge"}
    study = Study.from_yaml(HERE / "study.yaml").replace(
        model=model,
        raters=[{"kind": "judge", "name": "juez", "model": judge}],
        feeler={"kind": "model", "model": judge},
    )
    if turns is not None:
        study = study.replace(turns=turns)
    print(study.run(out).results.headline)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/triage_scripted"))
