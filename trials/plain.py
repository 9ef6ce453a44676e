"""What our configuration is measured against: the plain ones that people write without us."""

from typing import Final

_TELEMETRY: Final = """
  telemetry:
    metrics:
      readers:
        - pull:
            exporter:
              prometheus: {host: 127.0.0.1, port: "${env:TELEMETRY_PORT:-8888}"}
"""

_OTLP: Final = """
  otlp:
    protocols:
      grpc: {endpoint: "${env:OTLP_GRPC_ENDPOINT:-127.0.0.1:4317}"}
      http: {endpoint: "${env:OTLP_HTTP_ENDPOINT:-127.0.0.1:4318}"}
"""

BUILT_IN: Final = f"""
extensions:
  health_check: {{endpoint: "${{env:HEALTH_CHECK_ENDPOINT:-127.0.0.1:13133}}"}}
  sigv4auth: {{region: "${{env:AWS_REGION}}", service: aps}}
receivers:{_OTLP}
  awsecscontainermetrics: {{collection_interval: "${{env:ECS_METRICS_INTERVAL:-60s}}"}}
processors:
  resource_detection: {{detectors: [env, system, ecs], timeout: 2s}}
  batch/traces: {{timeout: 1s, send_batch_size: 50}}
  batch/metrics: {{timeout: 10s}}
exporters:
  awsxray: {{region: "${{env:AWS_REGION}}"}}
  prometheus_remote_write:
    endpoint: ${{env:AWS_PROMETHEUS_ENDPOINT}}
    auth: {{authenticator: sigv4auth}}
    resource_to_telemetry_conversion: {{enabled: true}}
service:
  extensions: [health_check, sigv4auth]{_TELEMETRY}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [resource_detection, batch/traces]
      exporters: [awsxray]
    metrics/application:
      receivers: [otlp]
      processors: [resource_detection, batch/metrics]
      exporters: [prometheus_remote_write]
    metrics/task:
      receivers: [awsecscontainermetrics]
      processors: [batch/metrics]
      exporters: [prometheus_remote_write]
"""
"""Written after the pipeline that ADOT's image has built in for AMP and X-Ray (`/etc/ecs/ecs-amp-xray.yaml`), without
its receivers that are not measured and without the detector that asks an EC2 host, which a Fargate task does not have.
"""

FLOOR: Final = f"""
extensions:
  health_check: {{endpoint: "${{env:HEALTH_CHECK_ENDPOINT:-127.0.0.1:13133}}"}}
receivers:{_OTLP}
processors:
  batch: {{timeout: 1s, send_batch_size: 50, send_batch_max_size: 50}}
exporters:
  awsxray: {{region: "${{env:AWS_REGION}}"}}
service:
  extensions: [health_check]{_TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], processors: [batch], exporters: [awsxray]}}
"""
"""The least that delivers a span: no configuration that uses this exporter can cost less."""
