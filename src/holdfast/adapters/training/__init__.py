"""Train, store and describe LoRA adapters and reward models."""
