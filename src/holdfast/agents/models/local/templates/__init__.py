"""Chat templates are programs of foreign authors: here they run within bounds of work and memory."""
