"""LangChain's ``init_chat_model`` where it is installed; else what it does for OpenAI, over the same class."""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import pytest


def through_langchain(patch: pytest.MonkeyPatch) -> None:
    """Let ``init_chat_model("openai:NAME", …)`` work, with or without the package ``langchain``."""
    openai = pytest.importorskip("langchain_openai", reason="needs langchain-openai")
    if importlib.util.find_spec("langchain") is not None:
        return

    def init_chat_model(model: str, **settings: Any) -> Any:
        return openai.ChatOpenAI(model=model.removeprefix("openai:"), **settings)

    for name in ("langchain", "langchain.chat_models"):
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        patch.setitem(sys.modules, name, module)
    patch.setattr(sys.modules["langchain.chat_models"], "init_chat_model", init_chat_model, raising=False)
