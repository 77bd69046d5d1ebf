"""What generates text.

``references`` reads a model's name (light); ``local`` holds :class:`~holdfast.agents.models.local.model.LocalChatModel`, which runs
any Hugging Face causal language model with its LoRA adapters. Torch is imported by the leaf modules only, so that
importing this package costs nothing.
"""
