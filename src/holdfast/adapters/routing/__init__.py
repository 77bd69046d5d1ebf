"""Recognise a conversation's task from the user's words."""
