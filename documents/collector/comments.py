"""The text of a configuration, with a reason at each line that a reader would ask about: the failure it prevents."""

import functools
import textwrap
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final, cast

from documents import text
from documents.collector.part import Configuration
from documents.text import Path

REASONS: Final[Mapping[str, str]] = {
    "extensions sigv4auth service": "Without it the signer guesses from the host name, which a VPC endpoint hides.",
    "extensions sigv4auth* assume_role": (
        "The role of the account that the data is for. A collector that may not become it does not start."
    ),
    "exporters awsxray role_arn": "The role of the account that the traces are for.",
    "extensions file_storage": (
        "The queues, on the disk of the task: what waits in them survives a crash and a restart of this container."
    ),
    "extensions ecs_observer result_file": (
        "The one folder that the image's user may write to: elsewhere discovery ends, and nothing shows it."
    ),
    "extensions ecs_observer docker_labels": "A filter by service would lose the old tasks during each deployment.",
    "extensions file_storage recreate": "Without it a file that a crash has damaged keeps the collector from starting.",
    "receivers otlp protocols grpc keepalive": (
        "A gRPC connection lives as long as both ends: without an age limit, a replica that is added gets no clients."
    ),
    "receivers otlp protocols grpc max_recv_msg_size_mib": (
        "gRPC refuses messages above 4 MiB for good, and what came over HTTP may be larger."
    ),
    "receivers otlp/*": (
        "The inner end of a buffer; the exporter otlp_grpc of the same name is the outer one, with the queue."
    ),
    "receivers awsxray proxy_server": (
        "Gives SDKs their sampling rules: signed with the role of this task, whatever is asked is passed on to X-Ray."
    ),
    "receivers zipkin parse_string_tags": "Zipkin's tags are texts, and a status that is no number is none to X-Ray.",
    "receivers statsd ignore_host": "Clients that count the same are added up; apart, one would overwrite the other.",
    "receivers statsd timer_histogram_mapping": (
        "Quantiles of each interval: its histograms are deltas, which remote write drops without a word."
    ),
    "receivers prometheus/application config scrape_configs 0 relabel_configs": (
        "Who a target is, in the labels that a sidecar gives: all else that discovery knows is dropped."
    ),
    "receivers prometheus/application config scrape_configs 0 metric_relabel_configs": (
        "With it a target could say that it is another one, and most would be a new one at each start."
    ),
    "receivers prometheus/collector": (
        "The collector's own figures, through a buffer of their own: a backlog must not hide itself. They are so many "
        "at each scrape, whatever happens, so they cannot feed on themselves."
    ),
    "receivers prometheus/collector config scrape_configs 0 metric_relabel_configs": (
        "Both ends of a buffer count what passes: of receivers the outer end is kept, of what was sent the inner one. "
        "The version, which is on every series, stays on one."
    ),
    "processors memory_limiter": (
        "Refuses data, which clients send again, before the hard limit of the container kills the process."
    ),
    "processors resource_detection ecs": (
        "Left are the labels and what tells X-Ray that this is Fargate: all of it would double each segment."
    ),
    "processors resource/traces": "Said in every segment, and asked by nobody: bytes and CPU.",
    "processors resource/labels": (
        "The allow-list of labels: what stays is hidden under a prefix, the rest is deleted, the prefix taken off."
    ),
    "processors resource/application": (
        "Inserted, never overwritten: two processes of one task that name themselves must stay two series."
    ),
    "processors resource/collector": "The name that it gives itself would make new series at each start.",
    "processors filter/scraped": "Four series for each target, which nobody asks for; `up` stays.",
    "processors metrics_transform/statsd-name": (
        "The next processor wants names, and nobody knows them: so all counters are one metric, their name a label."
    ),
    "processors deltatorate": "Sums of an interval are deltas, which remote write drops without a word.",
    "processors metrics_transform/statsd-count": (
        "A rate times the seconds of the interval is the count again, which can be added up over any time."
    ),
    "processors filter/statsd-values": "What passed the filter above is not counted a second time.",
    "processors filter/collector": "Drops what no dashboard, rule or alert asks for: every series costs.",
    "processors filter/cloudwatch": (
        "Drops what is not declared below: it would make no metric, but lines of a log, which CloudWatch bills."
    ),
    "processors filter/statsd-counters": "Counters only: all else goes another way, as it is.",
    "processors tail_sampling num_traces": (
        "As many as fit into a third of the memory. One more, and the oldest is lost before it is decided."
    ),
    "exporters load_balancing": (
        "All spans of a trace go to one collector, which alone can decide. No queue here: what cannot be handed on is "
        "refused, and the client sends it again."
    ),
    "exporters load_balancing resolver aws_cloud_map health_status": (
        "Without it Cloud Map also gives collectors that are not healthy."
    ),
    "exporters load_balancing retry_on_failure": (
        "Another try goes to whoever is there by then; before SDKs give up, which is after 10 s."
    ),
    "exporters otlp_http/xray retry_on_failure": (
        "What X-Ray cannot take now (429, 502, 503) waits; what it answers with 400, 403 or 500 is lost, by OTLP."
    ),
    "exporters otlp_http/xray sending_queue batch": "X-Ray takes 10,000 spans and 5 MB in a request.",
    "processors batch": (
        "Here a refusal ends. Without it a client would send again what AMP or X-Ray has taken, because one of these "
        "destinations is full; what that loses is counted (otelcol_exporter_enqueue_failed_*). It holds nothing back."
    ),
    "processors cumulativetodelta": "CloudWatch adds up what it is told: cumulative figures would count again.",
    "processors cumulativetodelta initial_value": (
        "A client may move to another collector and back: what it did meanwhile would be counted by both."
    ),
    "processors cumulativetodelta max_staleness": (
        "Longer than from one sample to the next, or each would be an initial one, and shorter than a move and back."
    ),
    "exporters otlp_grpc": "No queue here: a client gets its answer only when the collector behind has it on disk.",
    "exporters otlp_grpc/xray timeout": "Longer than the exporter behind waits: else a slow answer makes a duplicate.",
    "exporters otlp_grpc/cloudwatch retry_on_failure": (
        "A batch is given up after an hour: one that CloudWatch never takes must not keep back all others."
    ),
    "exporters otlp_grpc/* retry_on_failure": (
        "Backs off to one try in 30 s and never gives up; at the default, what is older than 5 minutes is dropped."
    ),
    "exporters otlp_grpc/* sending_queue queue_size": (
        "Bytes on disk. When it is full, new data is refused and stays with the clients as long as they hold it."
    ),
    "exporters otlp_grpc/application sending_queue num_consumers": (
        "AMP wants the samples of a series in order: with one request at a time there is nothing to overtake."
    ),
    "exporters otlp_grpc/xray sending_queue num_consumers": (
        "Few, so that an X-Ray in trouble gets few requests; each still delivers some thousand spans a second."
    ),
    "exporters otlp_grpc/xray sending_queue batch": "X-Ray takes at most 50 segments in a request.",
    "exporters awsxray max_retries": (
        "Attempts, which the exporter's own limit of 5 s cuts off. With few of them they run out instead, and then an "
        "X-Ray that asks for less (429) has refused for good."
    ),
    "exporters prometheus_remote_write/* timeout": (
        "Longer than its buffer waits: it calls its own time-out permanent, and the samples would be dropped."
    ),
    "exporters prometheus_remote_write/* retry_on_failure": (
        "The buffer retries: this exporter would try every 60 ms for 5 s and then drop the samples."
    ),
    "exporters prometheus_remote_write/* remote_write_queue": "A queue in memory, which a crash would empty.",
    "exporters prometheus_remote_write/* max_batch_request_parallelism": (
        "Parts of a large batch must not overtake each other."
    ),
    "exporters prometheus_remote_write/task translation_strategy": (
        "The units of ECS's figures are no units of OpenTelemetry's: with suffixes names end in _None and _MiB."
    ),
    "exporters prometheus_remote_write/* disable_scope_info": (
        "Each series would name the library that made it, and its version: new series at each upgrade."
    ),
    "exporters prometheus_remote_write/* target_info": (
        "One more series for each process, which says nothing that is not a label already."
    ),
    "exporters prometheus_remote_write/* resource_to_telemetry_conversion": (
        "Without it ECS metrics have no labels at all, and every task writes the same series."
    ),
    "exporters otlp_http/* headers": "Secrets of the container: no value stands here or in the task definition.",
    "exporters otlp_http/* retry_on_failure": (
        "A batch is given up after an hour of trying: one that is never taken must not keep back all others. An outage "
        "longer than that costs two batches an hour."
    ),
    "exporters awsemf dimension_rollup_option": "The default makes more metrics of each, and CloudWatch bills each.",
    "exporters awsemf metric_declarations": (
        "Each combination of values of a set of dimensions is a metric that CloudWatch bills: none by task or route."
    ),
    "exporters awsemf max_retries": (
        "Attempts within the exporter's 5 s. With few of them they run out, and what CloudWatch has throttled is lost; "
        "but as often the exporter sends again what was taken, if the answer lacks the deprecated nextSequenceToken."
    ),
    "exporters awscloudwatchlogs max_retries": "Its own queue tries again, and backs off between.",
    "exporters awscloudwatchlogs retry_on_failure": (
        "Given up after an hour: it would try for ever also what CloudWatch Logs finds invalid, and keep back all else."
    ),
}
"""Reasons by the keys that lead to their line, `*` for any. A reason stands where it first applies, and only there."""

_WIDTH: Final = 110


def to_yaml(configuration: Configuration) -> str:
    """The text that a container gets; the same configuration always gives the same bytes."""
    comments: dict[Path, str] = {}
    unused = dict(REASONS)
    for path in _paths(configuration):
        if found := next((pattern for pattern in _leading_to(path) if pattern in unused), None):
            comments[path] = textwrap.fill(unused.pop(found), _WIDTH)
    return text.to_yaml(configuration, comments)


@functools.cache
def _leading_to(path: Path) -> tuple[str, ...]:
    """The patterns of a line. The configurations of a stack have nearly all of their lines in common."""
    return tuple(pattern for pattern in REASONS if _leads_to(path, pattern.split(" ")))


def _leads_to(path: Path, pattern: list[str]) -> bool:
    return len(path) == len(pattern) and all(map(fnmatchcase, path, pattern))


def _paths(value: Any, above: Path = ()) -> Iterator[Path]:
    children: Iterator[tuple[str, Any]] = iter(())
    if isinstance(value, Mapping):
        children = iter(cast("Mapping[str, Any]", value).items())
    elif isinstance(value, list):
        children = ((str(index), one) for index, one in enumerate(cast("list[Any]", value)))
    for key, inner in children:
        yield (*above, key)
        yield from _paths(inner, (*above, key))
