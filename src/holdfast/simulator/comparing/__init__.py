"""Two runs set against each other, on the people and replicates that both have."""
