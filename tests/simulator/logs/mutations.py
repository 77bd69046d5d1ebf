"""Valid logs, broken in all the ways that files break: what the fuzzing feeds to the readers."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable

Mutation = Callable[[bytes, random.Random], bytes]
DEEP = b"[" * 3000
# fmt: off
TOKENS = (
    b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"null", b"true", b"{}", b"[]", b'""', b'"\\ud800"', b"\x00",
    b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"'", b",", b"\n", b"\r", b"\r\n", b"{", b"}", b"]", DEEP, b'{"a":' * 3000,
    b"=1+1", b"\\", b"user", b"assistant", b'"role"', b"-1", b"0", b"5", b"1048576", b"&#0;", b"&a;",
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
)
# fmt: on


def flip(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 3, 30))):
        out[rng.randrange(len(out))] = rng.randrange(256)
    return bytes(out)


def cut(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] if rng.random() < 0.7 else data[at:]


def double(data: bytes, rng: random.Random) -> bytes:
    a, b = sorted(rng.randrange(len(data)) for _ in range(2))
    at = rng.randrange(len(data))
    return data[:at] + data[a:b] * rng.choice((1, 2, 10)) + data[at:]


def insert(data: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.choice((1, 1, 4))):
        at, more = rng.randrange(len(data) + 1), rng.choice(TOKENS)
        data = data[:at] + more + data[at + rng.choice((0, 0, len(more))) :]
    return data


def swap_lines(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    rng.shuffle(lines)
    return b"\n".join(lines)


def replace_token(data: bytes, rng: random.Random) -> bytes:
    """Put something odd where a value of the file stands."""
    parts = data.split(rng.choice((b":", b",", b'"', b">")))
    parts[rng.randrange(len(parts))] = rng.choice(TOKENS)
    return b":".join(parts) if rng.random() < 0.1 else b",".join(parts) if b"," in data else b'"'.join(parts)


def recode(data: bytes, rng: random.Random) -> bytes:
    return data.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-32-le", "latin-1", "cp037")), "replace")


PLAIN: tuple[Mutation, ...] = (flip, cut, double, insert, swap_lines, replace_token, recode)


def inside_zip(data: bytes, rng: random.Random) -> bytes:
    """Break one member of an archive and pack it again, so that the fault is past the checksum."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        victim = rng.choice([name for name in names if "sheet" in name or "shared" in name or "workbook" in name])
        for name in names:
            member = old.read(name)
            if name == victim:
                member = rng.choice((flip, cut, double, insert, replace_token))(member, rng)
                if rng.random() < 0.2:
                    member = member.replace(b'r="2"', b'r="99999999999"', 1).replace(b'r="A2"', b'r="ZZZ9999999999"', 1)
            if not (name == victim and rng.random() < 0.05):
                new.writestr(name, member)
    return out.getvalue()


def bomb(data: bytes, rng: random.Random) -> bytes:
    """A member that unpacks to very much more than the archive has."""
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(rng.choice(("xl/extra.xml", "xl/worksheets/sheet9.xml")), b"\x00" * 160_000_000)
    return out.getvalue()


def mutate(data: bytes, rng: random.Random, zipped: bool) -> bytes:
    """One to three mutations."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        if not data:
            break
        if zipped and rng.random() < 0.7 and zipfile.is_zipfile(io.BytesIO(data)):
            try:
                data = inside_zip(data, rng)
                continue
            except Exception:  # broken already
                pass
        data = rng.choice(PLAIN)(data, rng)
    return data
