"""How a measure changes over the turns of a conversation."""
