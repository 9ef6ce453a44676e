"""The companion of a collector that makes ECS wait: a queue, on disk or in memory, is lost when its task ends.

ECS stops the containers of a task in reverse order of their dependencies. What sends to the collector depends on this
container, and this container on the collector: so it gets its SIGTERM when nobody sends any more, and the collector
gets its own when this container has ended, which is when the queues are empty, or after ECS's 120 seconds.
"""

from typing import Final

from documents import ports

IMAGE: Final = "public.ecr.aws/docker/library/busybox:1.37.0"
"""A shell, `wget`, `grep` and `timeout`: the collector's image has none of them."""

MEMORY: Final = 32
"""MiB: a shell and a download of some kilobytes."""

HOLD: Final = "HOLD_SECONDS"
"""The variable that says how long to wait before looking at the queues."""

SCRIPT: Final = f"""\
url="http://127.0.0.1:${{TELEMETRY_PORT:-{ports.TELEMETRY}}}/metrics"

# True when nothing waits and nothing is under way, or when there is no collector any more (wget ends with 1). Any other
# code is that of a collector that is slow to answer, whose backlog must not be given up for that.
drained() {{
  figures=$(timeout 2 wget -q -O - "$url")
  case $? in
    0) ! echo "$figures" | grep -E '^otelcol_exporter_(queue_size|in_flight_requests)[{{ ]' | grep -qv ' 0$' ;;
    1) true ;;
    *) false ;;
  esac
}}

stop() {{
  sleep "${{{HOLD}:-0}}"
  times=0
  # Twice in a row: between two components, what is under way counts for neither.
  while [ "$times" -lt 2 ]; do
    if drained; then times=$((times + 1)); else times=0; fi
    sleep 1
  done
  exit 0
}}

trap stop TERM INT
while :; do sleep 3600 & wait $!; done
"""
