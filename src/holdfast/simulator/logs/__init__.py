"""Conversations that other people have already: reading them, measuring them, writing them in another format.

::

    formats/*  a file ─► conversations, lazily, and what had to be skipped ─► a file
    registry   the words for the formats, and which one a file has
    turns      a conversation ─► turns: what the user said and the reply to it
    rating     replies ─► expressed empathy, in batches, on all cores
    tally      sums per group, speaker and turn, of a bounded size
    results    sums ─► curves, retention, slopes, survival, each with its interval
    convert    any format into any other

A log is untrusted: bad lines are skipped with their place and counted, never fatal, and text is escaped where it shows.
"""
