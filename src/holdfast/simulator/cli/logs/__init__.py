"""Commands about conversations from elsewhere."""
