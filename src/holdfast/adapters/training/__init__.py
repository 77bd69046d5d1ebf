"""LoRA adapters and reward models: trained, stored, described."""
