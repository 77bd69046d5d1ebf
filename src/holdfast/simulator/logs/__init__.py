"""Read conversation logs of other programs, measure them, and convert them to other formats.

::

    formats/*  a file ─► conversations, lazily, and what had to be skipped ─► a file
    registry   the formats by name, and the recognition of a file's format
    turns      a conversation ─► turns: what the user said and the reply to it
    rating     replies ─► expressed empathy, in batches, on all cores
    scores     the ratings of each reply ─► a row of a table
    stored_scores   scores given before ─► the ratings of each reply
    sums       sums per group, speaker and turn, of a bounded size
    results    sums ─► curves, retention, slopes, survival, each with its interval
    differences   sums of two groups ─► their difference, by people
    methods    results ─► a paragraph for a paper, and BibTeX
    convert    any format into any other

A log is untrusted: bad lines are skipped with their place and counted, never fatal, and text is escaped where it shows.
"""
