"""The gate before every rater: replies that are observed failures, and replies of which nothing can be known."""
