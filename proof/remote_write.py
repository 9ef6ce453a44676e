"""Prometheus remote write 1.0 as it stands on the wire: snappy around protobuf.

The message is described in code, because the `.proto` files come with no Python package that we would want to have.
Source: https://prometheus.io/docs/specs/prw/remote_write_spec/ (version 1.0).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import cramjam
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

Labels = tuple[tuple[str, str], ...]
"""The labels of a series with its name under `__name__`, sorted: the identity of the series."""


class Sample(NamedTuple):
    """One value at its time, in milliseconds since the epoch."""

    milliseconds: int
    value: float


@dataclass(frozen=True)
class Series:
    """One series of a request with its samples, in their order there."""

    labels: Labels
    samples: tuple[Sample, ...]


def decode(body: bytes) -> Iterator[Series]:
    """The series of a remote-write request. Raises ValueError if the body is none."""
    try:
        message = _MESSAGE.FromString(bytes(cramjam.snappy.decompress_raw(body)))
    except Exception as error:
        # Both libraries have exception types of their own without a common parent.
        raise ValueError(f"not a remote-write request: {error}") from error
    for series in message.timeseries:
        labels = tuple(sorted((str(label.name), str(label.value)) for label in series.labels))
        yield Series(labels, tuple(Sample(sample.timestamp, sample.value) for sample in series.samples))


def encode(series: Iterable[tuple[Labels, float, int]]) -> bytes:
    """A request with one sample for each of (labels, value, time in milliseconds)."""
    message: Any = _MESSAGE()
    for labels, value, milliseconds in series:
        added = message.timeseries.add()
        for name, text in labels:
            added.labels.add(name=name, value=text)
        added.samples.add(value=value, timestamp=milliseconds)
    return bytes(cramjam.snappy.compress_raw(message.SerializeToString()))


def _write_request() -> Any:
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="proof/remote_write.proto", package="proof", syntax="proto3")

    def message(name: str, *fields: tuple[str, int, descriptor_pb2.FieldDescriptorProto.Type.ValueType, str]) -> None:
        described = file.message_type.add(name=name)
        for field_name, number, kind, type_name in fields:
            described.field.add(
                name=field_name,
                number=number,
                type=kind,
                type_name=type_name or None,
                label=field.LABEL_REPEATED if type_name else field.LABEL_OPTIONAL,
            )

    message("Label", ("name", 1, field.TYPE_STRING, ""), ("value", 2, field.TYPE_STRING, ""))
    message("Sample", ("value", 1, field.TYPE_DOUBLE, ""), ("timestamp", 2, field.TYPE_INT64, ""))
    message(
        "TimeSeries",
        ("labels", 1, field.TYPE_MESSAGE, ".proof.Label"),
        ("samples", 2, field.TYPE_MESSAGE, ".proof.Sample"),
    )
    message("WriteRequest", ("timeseries", 1, field.TYPE_MESSAGE, ".proof.TimeSeries"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("proof.WriteRequest"))


_MESSAGE: Final = _write_request()
