"""Memory that was freed, given back to the machine."""

import ctypes
import sys


def return_freed() -> None:
    """Let the C library give back what was freed.

    glibc keeps freed memory apart for each thread that took it: gigabytes that a model's thread is done with are of no
    use to a training in another one. Other C libraries are left alone.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
