"""People's labels of a run's replies: which replies to ask about, what was answered, and where the answers are kept."""
