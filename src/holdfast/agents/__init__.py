"""User agents, candidates, models and raters: everything that speaks in a conversation or judges it."""
