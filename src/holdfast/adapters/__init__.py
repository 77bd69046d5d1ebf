"""Training data, LoRA experts, reward models and the task router."""
