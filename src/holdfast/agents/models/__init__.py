"""Chat models: references to them, and the backends that run or call them.

``references`` parses a model's name; ``local`` runs Hugging Face models with their LoRA adapters, ``served`` calls
endpoints, ``langchain`` wraps LangChain's models. Only leaf modules import torch, so importing this package is cheap.
"""
