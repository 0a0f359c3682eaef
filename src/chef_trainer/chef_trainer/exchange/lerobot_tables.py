"""The parquet files of a LeRobotDataset: frames, episodes and tasks."""

import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chef_trainer.exchange import lerobot_layout as layout
from chef_trainer.exchange.trajectory import MissingLibraryError


def pyarrow() -> Any:
    """Return the module; raises MissingLibraryError."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingLibraryError('pyarrow', 'a LeRobot data set') from error
    return pyarrow


class DataFiles:
    """Frames in parquet files of bounded size, one row group an episode."""

    def __init__(self, root: Path, features: Mapping[str, Any]) -> None:
        self._pa = pyarrow()
        self._root = root
        self._schema = self._make_schema(features)
        self._writer: Any = None
        self._file = -1
        self._bytes = 0

    def add(self, columns: Mapping[str, np.ndarray], images: Mapping[str, list[bytes]]) -> int:
        """Append an episode: columns (T, k), and images as PNG; return the number of its file."""
        if self._writer is None or self._bytes > layout.DATA_FILE_MB * 1e6:
            self.close()
            self._file += 1
            path = self._root / layout.DATA_PATH.format(**layout.place(self._file))
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._pa.parquet.ParquetWriter(path, self._schema)
            self._bytes = 0
        arrays = [
            self._images(field, images[field.name])
            if field.name in images
            else self._numbers(field, columns[field.name])
            for field in self._schema
        ]
        table = self._pa.Table.from_arrays(arrays, schema=self._schema)
        self._writer.write_table(table, row_group_size=len(table))
        self._bytes += table.nbytes
        return self._file

    def close(self) -> None:
        """Complete the file at hand."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _images(self, field: Any, images: list[bytes]) -> Any:
        return self._pa.array([{'bytes': png, 'path': None} for png in images], field.type)

    def _numbers(self, field: Any, column: np.ndarray) -> Any:
        values = column.reshape(len(column), -1)
        if values.shape[1] == 1:
            return self._pa.array(values[:, 0], field.type)
        flat = self._pa.array(np.ascontiguousarray(values).ravel(), field.type.value_type)
        return self._pa.FixedSizeListArray.from_arrays(flat, type=field.type)

    def _make_schema(self, features: Mapping[str, Any]) -> Any:
        fields = []
        for name, entry in features.items():
            if entry['dtype'] == 'video':
                continue
            if entry['dtype'] == 'image':
                kind = self._pa.struct([('bytes', self._pa.binary()), ('path', self._pa.string())])
            else:
                kind = self._pa.from_numpy_dtype(np.dtype(entry['dtype']))
                if entry['shape'][0] > 1:
                    kind = self._pa.list_(kind, entry['shape'][0])
            fields.append((name, kind))
        return self._pa.schema(fields, {'huggingface': layout.huggingface_schema(features)})


def write_episodes(root: Path, rows: list[dict[str, Any]]) -> None:
    """Write where each episode lies, and its statistics."""
    path = root / layout.EPISODES_PATH
    path.parent.mkdir(parents=True)
    module = pyarrow()
    module.parquet.write_table(module.Table.from_pylist(rows), path)


def write_tasks(root: Path, tasks: Iterable[str]) -> None:
    """Write the tasks; the schema tells pandas that their words are its index."""
    module, names = pyarrow(), list(tasks)
    about = {
        'index_columns': ['task'],
        'column_indexes': [],
        'columns': [
            _pandas_column('task_index', 'int64', 'int64'),
            _pandas_column('task', 'unicode', 'object'),
        ],
        'pandas_version': '2.0.0',
    }
    table = module.table({'task_index': range(len(names)), 'task': names})
    table = table.replace_schema_metadata({'pandas': json.dumps(about)})
    module.parquet.write_table(table, root / layout.TASKS_PATH)


def png(frame: np.ndarray) -> bytes:
    """Return an image (height, width, 3) uint8 as a PNG file."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(frame).save(stream, format='png')
    return stream.getvalue()


def _pandas_column(name: str, kind: str, numpy_type: str) -> dict[str, Any]:
    return {
        'name': name, 'field_name': name, 'pandas_type': kind, 'numpy_type': numpy_type,
        'metadata': None,
    }  # fmt: skip
