"""Every configuration that a stack with defaults has, and what several tests expect in them."""

from dataclasses import replace
from typing import Any

from documents.catalogue import Pattern
from documents.central import Central
from documents.collector import CollectorInputs, configuration, front, scraper
from documents.collector.part import Configuration
from documents.origin import Origin
from documents.signals import Destination, Receiver, Scrape, Signals, TailSampling, TraceEndpoint, Traces

ORIGIN = Origin(namespace="shop", environment="dev", cluster="shop-dev", service="orders", family="shop-dev-orders")


ELSEWHERE = Signals(
    destinations=(
        Destination(
            name="partner",
            endpoint="https://otlp.example.com",
            headers={"api-key": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-AbCdEf"},
        ),
    ),
    metrics_to_cloudwatch=True,
    logs_to_cloudwatch=True,
)


CENTRAL = Central(
    workspace="arn:aws:aps:eu-west-1:123456789012:workspace/ws-12345678-1234-1234-1234-123456789012",
    role="arn:aws:iam::123456789012:role/shop-writer",
    traces=True,
)


def inputs(pattern: Pattern) -> CollectorInputs:
    return CollectorInputs(pattern=pattern, origin=ORIGIN, memory=512, queue=512, interval_seconds=60)


def tracing(pattern: Pattern, traces: Traces) -> CollectorInputs:
    return replace(inputs(pattern), signals=Signals(traces=traces))


def configurations() -> dict[str, Configuration]:
    """Made anew each time, so that a test may change them."""
    return {
        "sidecar": configuration(inputs(Pattern.SIDECAR)),
        "service": configuration(inputs(Pattern.SERVICE)),
        "front": front(replace(inputs(Pattern.SERVICE), memory=256)),
        "sidecar that takes and scrapes": configuration(
            replace(
                inputs(Pattern.SIDECAR),
                signals=Signals(receivers=frozenset(Receiver)),
                scrape=Scrape(port=9464),
            )
        ),
        "scraper": scraper(inputs(Pattern.SERVICE)),
        "sidecar that sends elsewhere": configuration(replace(inputs(Pattern.SIDECAR), signals=ELSEWHERE)),
        "service that sends elsewhere": configuration(replace(inputs(Pattern.SERVICE), signals=ELSEWHERE)),
        "sidecar to X-Ray's OTLP endpoint": configuration(
            tracing(Pattern.SIDECAR, Traces(endpoint=TraceEndpoint.OTLP))
        ),
        "sidecar to another account": configuration(replace(inputs(Pattern.SIDECAR), signals=Signals(central=CENTRAL))),
        "service to another account by OTLP": configuration(
            replace(
                inputs(Pattern.SERVICE),
                signals=Signals(central=CENTRAL, traces=Traces(endpoint=TraceEndpoint.OTLP)),
            )
        ),
        "service that samples": configuration(tracing(Pattern.SERVICE, Traces(tail=TailSampling()))),
        "front that routes": front(tracing(Pattern.SERVICE, Traces(tail=TailSampling()))),
    }


NAMES = tuple(configurations())

FILTER_COLLECTOR = {
    "error_mode": "ignore",
    "metric_conditions": [
        'not IsMatch(metric.name, "^('
        "otelcol_receiver_accepted_spans|otelcol_receiver_accepted_metric_points"
        "|otelcol_receiver_accepted_log_records"
        "|otelcol_receiver_refused_spans|otelcol_receiver_refused_metric_points"
        "|otelcol_receiver_refused_log_records"
        "|otelcol_exporter_sent_spans|otelcol_exporter_sent_metric_points"
        "|otelcol_exporter_sent_log_records"
        "|otelcol_exporter_send_failed_spans|otelcol_exporter_send_failed_metric_points"
        "|otelcol_exporter_send_failed_log_records"
        "|otelcol_exporter_enqueue_failed_spans|otelcol_exporter_enqueue_failed_metric_points"
        "|otelcol_exporter_enqueue_failed_log_records"
        "|otelcol_exporter_queue_size|otelcol_exporter_queue_capacity"
        '|otelcol_process_memory_rss|otelcol_process_uptime|up)$")'
    ],
}
FILTER_TASK = {
    "error_mode": "ignore",
    "metric_conditions": [
        'not IsMatch(metric.name, "^(ecs[.]task[.]cpu[.]utilized|ecs[.]task[.]cpu[.]reserved'
        "|ecs[.]task[.]cpu[.]usage[.]vcpu|ecs[.]task[.]memory[.]utilized|ecs[.]task[.]memory[.]reserved"
        "|ecs[.]task[.]memory[.]usage|ecs[.]task[.]network[.]rate[.]rx|ecs[.]task[.]network[.]rate[.]tx"
        '|ecs[.]task[.]storage[.]read_bytes|ecs[.]task[.]storage[.]write_bytes)$")'
    ],
}


def own_figures(interval: str, *targets: tuple[str, str]) -> dict[str, Any]:
    return {
        "prometheus/collector": {
            "config": {
                "scrape_configs": [
                    {
                        "job_name": "collector",
                        "scrape_interval": f"${{env:COLLECTOR_METRICS_INTERVAL:-{interval}}}",
                        "static_configs": [
                            {"targets": [f"127.0.0.1:{port}"], "labels": {"container": container}}
                            for container, port in targets
                        ],
                        "metric_relabel_configs": [
                            {"source_labels": ["receiver"], "regex": "otlp/.+", "action": "drop"},
                            {
                                "source_labels": ["__name__", "exporter"],
                                "regex": "otelcol_exporter_sent_.+;otlp_grpc/.+",
                                "action": "drop",
                            },
                            {
                                "source_labels": ["__name__", "service.version"],
                                "regex": "otelcol_process_uptime(?:_total)?;(.+)",
                                "target_label": "version",
                                "replacement": "$$1",
                            },
                            {"regex": "service[.]version", "action": "labeldrop"},
                        ],
                    }
                ]
            }
        }
    }


def telemetry(port: str) -> dict[str, Any]:
    exposed = {
        "host": "127.0.0.1",
        "port": port,
        "without_scope_info": True,
        "with_resource_constant_labels": {"included": ["service.version"]},
    }
    return {
        "logs": {"encoding": "json"},
        "metrics": {"readers": [{"pull": {"exporter": {"prometheus": exposed}}}]},
    }
