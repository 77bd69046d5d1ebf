"""User agents: personas at work in a conversation, played by rules or by a chat model."""
