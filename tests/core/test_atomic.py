"""Files appear whole or not at all."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from holdfast.core.atomic import write_json


def test_write_json_keeps_the_old_file_where_it_fails(tmp_path: Path) -> None:
    path = tmp_path / "new" / "results.json"
    write_json(path, {"name": "Zoë", "share": 0.5})
    written = path.read_text(encoding="utf-8")
    assert written == '{\n "name": "Zoë",\n "share": 0.5\n}\n'
    with pytest.raises(ValueError, match="nan"):
        write_json(path, {"share": math.nan})
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        write_json(path / "results.json", {})
    assert [file.name for file in path.parent.iterdir()] == ["results.json"]
    assert path.read_text(encoding="utf-8") == written
