"""Who rates a reply: one protocol, and a package for each way to rate."""
