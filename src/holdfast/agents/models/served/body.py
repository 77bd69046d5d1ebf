"""Reading a response of bounded size, whatever its headers say and however small it was packed."""

import zlib
from typing import TYPE_CHECKING

from holdfast.agents.models.served.failures import EndpointError, TransientError

if TYPE_CHECKING:
    import aiohttp

MOST_BYTES = 4 << 20  # of an answer, unpacked; the longest reply that a model writes has a tenth of that
_GZIP, _MEMBERS = b"\x1f\x8b", 64  # gzip may have several members; each costs a copy of the rest
_AUTO = 32 + zlib.MAX_WBITS  # gzip or zlib, as the first bytes say


async def read_body(response: "aiohttp.ClientResponse", where: str) -> bytes:
    """Return the body, unpacked.

    Raises:
        EndpointError: It is larger than ``MOST_BYTES``; the connection is closed, and no more is read.
        TransientError: It is packed in a way that was not offered, or damaged.
    """
    blocks, size = [], 0
    content = response.content
    while block := await content.readany():
        size += len(block)
        if size > MOST_BYTES:
            response.close()
            raise too_large_answer(where)
        blocks.append(block)
    body = blocks[0] if len(blocks) == 1 else b"".join(blocks)
    packing = response.headers.get("Content-Encoding")
    return body if packing is None else unpacked(body, packing, where)


def unpacked(body: bytes, packing: str, where: str) -> bytes:
    """Return ``body`` without the ``packing`` that its header names: gzip, deflate or identity.

    Raises as :func:`read_body` does.
    """
    packing = packing.strip().lower()
    if packing in ("", "identity") or not body:
        return body
    if packing not in ("gzip", "x-gzip", "deflate"):
        raise TransientError("malformed", f"packed as {packing[:20]!r}, which was not offered", sign="strange")
    try:
        return _inflate(body, where, _AUTO)
    except zlib.error as error:
        if packing != "deflate":
            raise TransientError("malformed", f"its {packing} cannot be unpacked ({error})", sign="strange") from None
    try:
        return _inflate(body, where, -zlib.MAX_WBITS)  # deflate as some servers understand it: without zlib's header
    except zlib.error as error:
        raise TransientError("malformed", f"its deflate cannot be unpacked ({error})", sign="strange") from None


def _inflate(body: bytes, where: str, bits: int) -> bytes:
    parts, left = [], MOST_BYTES
    for _ in range(_MEMBERS):
        unpacker = zlib.decompressobj(bits)
        parts.append(unpacker.decompress(body, left + 1))
        left -= len(parts[-1])
        if left < 0:
            raise too_large_answer(where)
        if not unpacker.eof:
            raise TransientError("cut short", "its packed body ends early")
        body = unpacker.unused_data
        if not body.startswith(_GZIP):  # nothing, or padding
            break
    return b"".join(parts)


def too_large_answer(where: str) -> EndpointError:
    """Return the error of an answer that is too large to be read."""
    return EndpointError(
        f"{where} sent an answer larger than {MOST_BYTES >> 20} MB, and was not read further: no model writes that "
        "much; is it an endpoint for chat completions?",
        "too large",
    )
