"""The diff of one document as a Parquet file: a row per block, the rest of the delta in the schema.

Parquet keeps a diff readable by any analyst's tool; encoding is deterministic, so the same delta
gives the same bytes and the same hash.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from operator import attrgetter

import pyarrow as pa
import pyarrow.parquet as pq

from astra_learn_assets.contracts import Delta
from astra_learn_assets.errors import BadInput

_META = b"astra.delta"
_SCHEMA = pa.schema(
    [
        ("op", pa.string()),
        ("chunk_ids", pa.list_(pa.string())),
        ("audio_uri", pa.string()),
        ("start_ms", pa.int64()),
        ("end_ms", pa.int64()),
        ("before", pa.string()),
        ("after", pa.string()),
        ("before_index", pa.int64()),
        ("after_index", pa.int64()),
        ("before_parts", pa.list_(pa.string())),
        ("after_parts", pa.list_(pa.string())),
        ("wer", pa.float64()),
        ("cer", pa.float64()),
        ("similarity", pa.float64()),
        ("confidence", pa.float64()),
        ("moved_from", pa.int64()),
        ("route", pa.int64()),
        ("same_utterance", pa.float64()),
        ("corrected", pa.float64()),
    ]
)


COLUMNS = {field.name: str(field.type) for field in _SCHEMA}
"""Name to type, as a person reads it."""

_row = attrgetter(*_SCHEMA.names)


def encode(delta: Delta) -> bytes:
    """``delta`` as the bytes of a Parquet file."""
    rest = delta.model_dump(mode="json", exclude={"blocks"})
    schema = _SCHEMA.with_metadata({_META: json.dumps(rest, ensure_ascii=False, sort_keys=True).encode()})
    rows = map(_row, delta.blocks)
    columns = zip(*rows, strict=True) if delta.blocks else ((),) * len(schema)
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)]
    buffer = io.BytesIO()
    # one document is always read whole, so statistics and dictionaries of its pages would only cost time
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=schema),
        buffer,
        compression="zstd",
        use_dictionary=False,
        write_statistics=False,
    )
    return buffer.getvalue()


def decode(data: bytes) -> Delta:
    """The delta that :func:`encode` wrote.

    Raises:
        BadInput: when the file is not one of ours; the message repeats nothing of it.
    """
    return _decoded(lambda: pq.read_table(io.BytesIO(data)))


def decode_head(data: bytes) -> Delta:
    """The same without its blocks, which may be thousands and are most of the work.

    Raises:
        BadInput: as :func:`decode`.
    """
    return _decoded(lambda: pq.read_schema(io.BytesIO(data)).empty_table())


def _decoded(read: Callable[[], pa.Table]) -> Delta:
    try:
        table = read()
        rest = (table.schema.metadata or {}).get(_META)
        if rest is None:
            raise BadInput("not a diff file: its schema carries no 'astra.delta'")
        return Delta.model_validate({**json.loads(rest), "blocks": table.to_pylist()})
    # ArrowInvalid and pydantic's and json's errors are ValueErrors; what they say may quote the document
    except (ValueError, TypeError, pa.ArrowException, OSError) as error:
        raise BadInput(f"not a diff file: {type(error).__name__}") from None
