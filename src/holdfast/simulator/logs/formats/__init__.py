"""One module per log format, each with a reader and a writer."""
