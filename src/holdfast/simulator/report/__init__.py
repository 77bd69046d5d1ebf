"""One self-contained HTML page from a study's results and episodes: no network, readable without JavaScript."""
