"""Read data files that others wrote, within bounds of memory and time.

::

    opening     an ordinary file, inflated if it is packed, its text as UTF-8
    encodings   which encoding a text has, where that is sure
    documents   JSON lines, arrays and objects, and rows of Parquet ─► values, each with its place
    delimited   CSV with commas, semicolons or tabs ─► rows, each with its place
    skips       what could not be used, with its place

Content never raises: what cannot be used is a :class:`SkippedLine`. A file that cannot be read at all is an InputError.
"""
