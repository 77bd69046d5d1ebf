"""Which task a conversation is for, by the words of the user."""
