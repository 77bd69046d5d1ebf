"""Read named sheets of xlsx workbooks within bounds, and write them row by row, with openpyxl."""

import os
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from holdfast.core.errors import Fault, InputError
from holdfast.core.files import opened
from holdfast.core.reading.skips import SkippedLine
from holdfast.core.wording import printable, quote, shorten
from holdfast.simulator.logs.writing import whole

MAX_UNPACKED = 150_000_000  # bytes: SENSE-7's own is a few million; a zip bomb has thousands of millions
MOST_ROWS, MOST_COLUMNS = 500_000, 64
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # what XML cannot hold

Rows = list[tuple[str, Mapping[str, Any]]]


def read_sheets(path: Path, needed: Mapping[str, Sequence[str]], skips: list[SkippedLine]) -> dict[str, Rows]:
    """Return the rows of each sheet, each with its place; unreadable sheets are empty and among ``skips``.

    ``needed``: sheet -> the columns that it must have.
    """
    openpyxl = _openpyxl()
    name = printable(os.fspath(path))
    sheets: dict[str, Rows] = {sheet: [] for sheet in needed}
    with opened(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
            if size > MAX_UNPACKED:
                skips.append(SkippedLine(name, "file", f"unpacks to more than {MAX_UNPACKED:,} bytes", f"{size:,}"))
                return sheets
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of Excel features that are not read
                book = openpyxl.load_workbook(file, read_only=True, data_only=True)
                for sheet, columns in needed.items():
                    sheets[sheet] = list(_rows(book, sheet, columns, name, skips))
        except Exception as error:  # zipfile, zlib, expat and openpyxl raise many types
            detail = shorten(f"{type(error).__name__}: {error}")
            skips.append(SkippedLine(name, "file", "not a readable xlsx workbook: the rest was not read", detail))
    return sheets


def _rows(book: Any, sheet: str, needed: Sequence[str], name: str, skips: list[SkippedLine]) -> Iterator[Any]:
    place = f"{name}:{sheet}"
    if sheet not in book.sheetnames:
        listed = ", ".join(quote(name)[1:-1] for name in book.sheetnames[:10])
        said = f"expected {', '.join(needed)} on it; the sheets are {listed}"
        skips.append(SkippedLine(place, "file", "sheet is absent", said))
        return
    rows = book[sheet].iter_rows(max_col=MOST_COLUMNS, values_only=True)
    header = [str(cell).strip() if cell is not None else "" for cell in next(rows, ())]
    absent = [column for column in needed if column not in header]
    if absent:
        skips.append(SkippedLine(f"{place}:1", "file", "columns absent", ", ".join(absent)))
        return
    number = 1
    for number, row in enumerate(islice(rows, MOST_ROWS), start=2):
        if any(cell is not None for cell in row):
            yield f"{place}:{number}", dict(zip(header, row, strict=False))
    if number > MOST_ROWS:
        skips.append(SkippedLine(f"{place}:{number}", "file", f"more than {MOST_ROWS:,} rows: the rest was not read"))


@contextmanager
def written_workbook(path: Path, sheets: Mapping[str, Sequence[str]]) -> Iterator[Callable[[str, Sequence[Any]], None]]:
    """Yield ``add(sheet, row)`` for a workbook that appears at ``path`` when the block succeeds."""
    openpyxl = _openpyxl()
    with whole(path) as draft:
        draft.touch()
        book = openpyxl.Workbook(write_only=True)
        for sheet, header in sheets.items():
            book.create_sheet(sheet).append(list(header))

        def add(sheet: str, row: Sequence[Any]) -> None:
            book[sheet].append([_cell(book[sheet], value) for value in row])

        try:
            yield add
        except BaseException:
            for sheet in book.worksheets:
                sheet.close()  # or openpyxl warns later
            raise
        book.save(draft)


class CellNames:
    """Names as a cell can hold them: different ones stay different, though a cell holds no control characters."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}
        self._taken: set[str] = set()

    def of(self, name: str) -> str:
        """Return the name as it is written, the same for the same name."""
        if name not in self._of:
            plain = own = _CONTROL.sub(lambda mark: ascii(mark[0])[1:-1], name)
            number = 1
            while own in self._taken:
                number += 1
                own = f"{plain}#{number}"
            self._of[name] = own
            self._taken.add(own)
        return self._of[name]


def _cell(sheet: Any, value: Any) -> Any:
    """Return text as a text cell, so that a message that begins with "=" is no formula."""
    if not isinstance(value, str):
        return value
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value=_CONTROL.sub(" ", value)[:32_767])  # as much as a cell can hold
    cell.data_type = "s"
    return cell


def _openpyxl() -> Any:
    try:
        import openpyxl
    except ImportError:
        fault = "xlsx workbooks need openpyxl, which is not installed; run pip install 'holdfast[xlsx]'"
        raise InputError([Fault("sense7", fault)]) from None
    return openpyxl
