"""What can be counted in the words of replies and messages."""
