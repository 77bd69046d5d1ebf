"""Files of others, opened: packed ones, other encodings, and what is refused."""
# ruff: noqa: RUF001

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import pytest

from holdfast.core.errors import InputError
from holdfast.core.files import opened
from holdfast.core.reading import opening
from holdfast.core.reading.encodings import mark_of, surely_code_page
from holdfast.core.reading.opening import DataFile, head_of, opened_text

TEXT = "id,text\n1,“It’s the café,” she said – naïvely.\n"


def all_of(path: Path) -> tuple[str, str]:
    """The text of a file, and its fault."""
    with opened_text(path) as file:
        raw = file.stream.read()
        return file.repaired(raw.decode("utf-8", "surrogateescape")), file.fault


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("packed", [False, True])
def test_every_encoding_that_is_sure(encoding, packed, tmp_path):
    data = TEXT.encode(encoding)
    path = tmp_path / "x"
    path.write_bytes(gzip.compress(data) if packed else data)
    assert all_of(path) == (TEXT, "")


def test_zstd(tmp_path):
    zstandard = pytest.importorskip("zstandard")
    data = TEXT.encode() * 100_000
    packed = zstandard.ZstdCompressor().compress(data)
    (tmp_path / "x.zst").write_bytes(packed)
    assert all_of(tmp_path / "x.zst") == (data.decode(), "")
    (tmp_path / "cut.zst").write_bytes(packed[: len(packed) // 2])
    text, fault = all_of(tmp_path / "cut.zst")
    assert text.startswith(TEXT)
    assert fault.startswith("damaged zstd: the rest was not read")


def test_damaged_gzip_gives_what_is_whole(tmp_path):
    data = "".join(f"{number},{os.urandom(9).hex()}\n" for number in range(20_000)).encode()
    packed = gzip.compress(data)
    (tmp_path / "cut.gz").write_bytes(packed[: len(packed) // 2])
    text, fault = all_of(tmp_path / "cut.gz")
    assert data.startswith(text.encode())
    assert fault.startswith("damaged gzip: the rest was not read")


def read_through(file: DataFile) -> None:
    while file.stream.read(1 << 20):
        pass


@pytest.mark.parametrize("name", ["gz", "zst"])
def test_a_bomb_is_refused_soon(name, tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "ALWAYS_INFLATED", 1_000_000)
    path = tmp_path / f"bomb.{name}"
    if name == "gz":
        with gzip.open(path, "wb") as file:
            for _ in range(100):
                file.write(bytes(1_000_000))
    else:
        path.write_bytes(pytest.importorskip("zstandard").ZstdCompressor().compress(bytes(100_000_000)))
    began = time.process_time()
    with opened_text(path) as file, pytest.raises(InputError, match=r"unpacks to more than [\d,]+ bytes.*yourself"):
        read_through(file)
    assert time.process_time() - began < 5


def test_pipes_devices_and_folders_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "talk").touch()
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(InputError, match="is a pipe or a device, not a file; save"), opened(path):
            pass
    with pytest.raises(InputError, match="is a folder where a file is expected"), opened(tmp_path):
        pass
    with pytest.raises(InputError, match="no such file; did you mean 'talk'"), opened(tmp_path / "talks"):
        pass
    with pytest.raises(InputError, match="cannot be read"), opened(Path("a\0b")):
        pass


#: What is no UTF-8 and must not be taken for Windows-1252, with the encoding that it has.
OTHERS = {
    "cp1251": "Мне очень жаль, это тяжело.",
    "koi8-r": "Мне очень жаль.",
    "cp1253": "Λυπάμαι πολύ.",
    "cp1250": "Bardzo mi przykro, że mówią źle o łódce i żółwiu.",
    "cp1254": "Çok üzgünüm, ağır bir gün olmalı, şey.",
    "gbk": "我很难过，请告诉我。",
    "shift_jis": "とても残念です。",
    "euc-kr": "정말 안타깝네요.",
    "mac-roman": "It’s really très dur, désolé.",
    "cp850": "Das wäre schön, für dich und für mich.",
    "cp437": "Je suis désolé, très désolé.",
}


@pytest.mark.parametrize("encoding", OTHERS)
def test_another_code_page_is_not_guessed(encoding):
    assert not surely_code_page([OTHERS[encoding].encode(encoding)])


@pytest.mark.parametrize(
    "text",
    [
        "“It’s fine” – really… £5",
        "Je suis désolé, ça va être là-bas où naître.",
        "Größe, für Äpfel; 20 €",
        "mañana ¿qué?",
    ],
)
def test_western_texts_are_sure(text):
    assert surely_code_page([text.encode("cp1252")])
    assert surely_code_page([bytes([byte]) for byte in text.encode("cp1252")])


def test_broken_utf8_is_not_taken_for_a_code_page():
    data = ("Désolé, " * 3).encode() + b"caf\xe9"
    assert not surely_code_page([data])
    assert not surely_code_page([data[:5], data[5:]])
    assert not surely_code_page([b"plain"])


def test_marks():
    assert mark_of(b"\xff\xfea\x00") == (b"\xff\xfe", "utf-16-le")
    assert mark_of('{"a": 1}'.encode("utf-16-be")) == (b"", "utf-16-be")
    assert mark_of(b"plain text") == (b"", "utf-8")


def test_the_head_is_unpacked(tmp_path):
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"abcdef"))
    assert head_of(tmp_path / "x.gz", 3) == b"abc"
