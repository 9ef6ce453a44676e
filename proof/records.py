"""Log records as an application's SDK sends them. The sample logs to standard error, so a proof sends some itself."""

import uuid
from collections.abc import Sequence
from typing import Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from proof.processes import ProgramError
from proof.web import Request, fetch

RECORDS: Final = 20
"""From each task."""

_ACCEPTED: Final = 200


async def send(port: int, service: str, task: str, at: float) -> Sequence[str]:
    """Sends records to a collector's OTLP port, each within a trace, and gives their texts.

    `at` is in seconds since the epoch. Raises ProgramError if the collector refuses them.
    """
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    scope = resource.scope_logs.add()
    texts = [f"{service} {task} {number}" for number in range(RECORDS)]
    for text in texts:
        record = scope.log_records.add(time_unix_nano=round(at * 1e9), severity_number=9, severity_text="INFO")
        record.body.string_value = text
        record.trace_id, record.span_id = uuid.uuid4().bytes, uuid.uuid4().bytes[:8]
    headers = {"content-type": "application/x-protobuf"}
    answer = await fetch(port, Request("POST", "/v1/logs", headers, request.SerializeToString()))
    if answer.status != _ACCEPTED:
        raise ProgramError(f"the collector of {service} refuses logs: {answer.status} {answer.body[:200]!r}")
    return texts
