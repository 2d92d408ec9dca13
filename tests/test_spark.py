"""The recipe in docs/spark.md, run as it stands there by a real Spark on this machine. It is skipped where pyspark is not installed: no
extra brings it (some 500 MB with pandas, which mapInArrow wants), `pip install 'pyspark[sql]'` does; it needs Java 17."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from classifier import Classifier
from classifier.batch import COLUMNS, label_texts

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark runs on Java")
def test_the_recipe_labels_every_row_once(shipped: Classifier, texts: list[str], tmp_path: Path) -> None:
    for name in ("pyspark", "pandas"):
        pytest.importorskip(name, reason="pip install 'pyspark[sql]'")
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "spark.md").read_text("utf-8"), re.S)
    (tmp_path / "spark_label.py").write_text(code, encoding="utf-8")
    given = [*texts, None, ""] * 5
    (tmp_path / "in").mkdir()
    for part in range(3):
        table = arrow.table({"id": range(part, len(given), 3), "text": arrow.array(given[part::3], arrow.string())})
        parquet.write_table(table, tmp_path / "in" / f"part-{part}.parquet")
    here = {"PYSPARK_SUBMIT_ARGS": "--master local[2] pyspark-shell", "SPARK_LOCAL_IP": "127.0.0.1"}
    settings = {**os.environ, **here, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable}
    command = [sys.executable, str(tmp_path / "spark_label.py"), str(tmp_path / "in"), str(tmp_path / "out")]
    done = subprocess.run(command, env=settings, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    labelled = sorted(parquet.read_table(tmp_path / "out").to_pylist(), key=lambda row: row["id"])
    labels = label_texts(shipped, [text or "" for text in given])
    expected = [
        {"id": k, "text": text, **dict(zip(COLUMNS, values, strict=True))}
        for k, (text, *values) in enumerate(zip(given, *labels[: len(COLUMNS)], strict=True))
    ]
    assert labelled == expected
