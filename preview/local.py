"""The stack in a Grafana of one's own: what `docker compose up` needs to run its documents on a machine with Docker.

Each ECS task becomes containers that share one network, as on ECS, so that collectors run with the very configuration
of the stack. AMP becomes a Prometheus with the stack's rules; ECS's metadata endpoint, and what else collectors send
to, becomes one small container beside each task (`local_task.py`).
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import yaml

from documents import names, travel
from documents.dashboards.folder import OVERVIEW
from documents.dashboards.sources import AMP, CLOUDWATCH, XRAY
from preview import wiring
from preview.recording import Recording, Resource
from preview.wiring import Running

FOLDER: Final = "local"

GRAFANA: Final = "grafana/grafana:12.4.3"
"""Of the version that the workspace is pinned to."""
PROMETHEUS: Final = "prom/prometheus:v3.14.0"
"""The one that a proof runs."""
PYTHON: Final = "python:3.13.7-slim-bookworm"
PLUGIN: Final = f"{XRAY.type}@2.17.1"

_GRAFANA_PORT: Final = 3000
_PROMETHEUS_PORT: Final = 9090
_TASK_PORT: Final = 51678
_AROUND: Final = f"http://127.0.0.1:{_TASK_PORT}"
_ROOT: Final = "../../.."
"""The project, from `build/<stack>/local`."""
_ACCOUNT: Final = "123456789012"
_DASHBOARDS: Final = "/etc/grafana/local-dashboards"
_CONFIGURATION: Final = "/etc/collector.yaml"

_IMAGE: Final = "docker-build:index:Image"

_HEADER: Final = """\
# Made by `make render`. The stack in a Grafana of one's own; what it shows and what it cannot: docs/local-grafana.md
#   docker compose -f build/{stack}/local/compose.yaml up
"""

Document = dict[str, Any]


def files(recording: Recording, rendered: Mapping[str, str]) -> dict[str, str]:
    """Relative path to text, for a stack with dashboards; nothing for one without.

    `rendered` are its other documents: what is there is mounted from there, and not written twice.
    """
    boards = {path: text for path, text in rendered.items() if path.startswith("dashboards/")}
    tasks = _tasks(recording)
    if not (boards and tasks):
        return {}
    rules = any(path.startswith("rules/") for path in rendered)
    made = {
        "compose.yaml": _HEADER.format(stack=recording.stack)
        + _yaml(_compose(recording, rendered, tasks, rules=rules)),
        "prometheus.yaml": _yaml(_prometheus(recording, rules=rules)),
        "grafana/datasources.yaml": _yaml(_data_sources(recording)),
        "grafana/dashboards.yaml": _yaml(_providers(recording)),
        "local_task.py": Path(__file__).with_name("local_task.py").read_text(encoding="utf-8"),
        **{path: text.replace(AMP.type, "prometheus") for path, text in boards.items()},
    }
    return {f"{FOLDER}/{path}": text for path, text in made.items()}


def _tasks(recording: Recording) -> list[Running]:
    """One task of each ECS service, applications first and in the order of the configuration.

    Not the scraper: it looks for tasks in the API of ECS.
    """
    configured = wiring.items(recording.config.get(f"{recording.project}:applications"))
    order = {wiring.text(wiring.table(one).get("name")): index for index, one in enumerate(configured)}
    running = [run for run in wiring.running(recording) if run.name != names.SCRAPER]
    return sorted(running, key=lambda run: order.get(run.name, len(order)))


# Grafana and Prometheus


def _prometheus(recording: Recording, *, rules: bool) -> Document:
    window = next(
        (one.inputs.get("outOfOrderTimeWindowInSeconds") for one in recording.of_type(wiring.WORKSPACE_CONFIGURATION)),
        None,
    )
    return {
        "global": {"evaluation_interval": "60s"},
        **({"rule_files": ["rules/*.yaml"]} if rules else {}),
        # As AMP: what was held back during an outage arrives after newer samples.
        "storage": {"tsdb": {"out_of_order_time_window": f"{window or 60}s"}},
    }


def _data_sources(recording: Recording) -> Document:
    """The stack's data sources under their uids; those of AWS ask with whatever credentials Grafana is given."""
    told = {
        wiring.text(one.inputs.get("uid")): wiring.table(wiring.parsed(one.inputs.get("jsonDataEncoded")))
        for one in recording.of_type(wiring.DATA_SOURCE)
    }
    kept = {key: value for key, value in told.get(AMP.uid, {}).items() if key in ("httpMethod", "timeInterval")}
    region = {"authType": "default", "defaultRegion": recording.region}
    amp: Document = {
        "name": AMP.uid,
        "uid": AMP.uid,
        "type": "prometheus",
        "access": "proxy",
        "url": f"http://local-prometheus:{_PROMETHEUS_PORT}",
        "isDefault": True,
        "jsonData": kept,
    }
    others = [
        {"name": one.uid, "uid": one.uid, "type": one.type, "access": "proxy", "jsonData": {**region}}
        for one in (XRAY, CLOUDWATCH)
    ]
    return {"apiVersion": 1, "datasources": [amp, *others]}


def _providers(recording: Recording) -> Document:
    folder = f"{recording.project}-{recording.stack}"
    provider = {
        "name": folder,
        "folder": folder,
        "folderUid": folder,
        "type": "file",
        "allowUiUpdates": True,
        "options": {"path": _DASHBOARDS},
    }
    return {"apiVersion": 1, "providers": [provider]}


# Compose


def _compose(recording: Recording, rendered: Mapping[str, str], tasks: list[Running], *, rules: bool) -> Document:
    home = next((path.partition("/")[2] for path in rendered if path == f"dashboards/{OVERVIEW.uid}.json"), "")
    services: Document = {
        "local-grafana": {
            "image": GRAFANA,
            "ports": [_published(_GRAFANA_PORT)],
            # Nobody else reaches it: the port is published on this machine alone.
            "environment": {
                "GF_AUTH_ANONYMOUS_ENABLED": "true",
                "GF_AUTH_ANONYMOUS_ORG_ROLE": "Admin",
                "GF_PLUGINS_PREINSTALL_SYNC": PLUGIN,
                **({"GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": f"{_DASHBOARDS}/{home}"} if home else {}),
                **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")),
            },
            "volumes": [
                _mounted("./grafana/datasources.yaml", "/etc/grafana/provisioning/datasources/local.yaml"),
                _mounted("./grafana/dashboards.yaml", "/etc/grafana/provisioning/dashboards/local.yaml"),
                _mounted("./dashboards", _DASHBOARDS),
            ],
            "depends_on": ["local-prometheus"],
        },
        "local-prometheus": {
            "image": PROMETHEUS,
            "command": [
                "--config.file=/etc/prometheus/prometheus.yaml",
                "--storage.tsdb.path=/prometheus",
                "--web.enable-remote-write-receiver",
            ],
            "ports": [_published(_PROMETHEUS_PORT)],
            "volumes": [
                _mounted("./prometheus.yaml", "/etc/prometheus/prometheus.yaml"),
                *([_mounted("../rules", "/etc/prometheus/rules")] if rules else []),
            ],
        },
    }
    first = next((task for task in tasks if _port(task)), None)
    for task in tasks:
        services |= _task(recording, rendered, task, _port(task) if task == first else 0)
    # What is on EFS is an empty volume here.
    sources = [one["source"] for task in tasks for container in task.applications for one in _volumes(task, container)]
    whole = {"name": f"{recording.project}-{recording.stack}-local", "services": _escaped(services)}
    return whole | ({"volumes": {source: Document() for source in sources}} if sources else {})


def _task(recording: Recording, rendered: Mapping[str, str], task: Running, port: int) -> Document:
    """The containers of one task, and the one around it that owns their network and their processes.

    `port` is the one at which a person reaches it, 0 for none.
    """
    around = f"{task.name}-task"
    shared: Document = {"network_mode": f"service:{around}", "pid": f"service:{around}"}
    made: Document = {
        around: {
            "image": PYTHON,
            "init": True,
            "command": ["python", "/local_task.py"],
            "environment": {"PORT": str(_TASK_PORT), "TASK": json.dumps(_identity(recording, task))},
            "volumes": [_mounted("./local_task.py", "/local_task.py")],
            "networks": {"default": {"aliases": list(task.addresses)}},
            **({"ports": [_published(port)]} if port else {}),
        }
    }
    collectors = [one for one in wiring.containers(task.task) if wiring.is_collector(one)]
    kept = {str(one["name"]) for one in (*collectors, *task.applications)}
    for container in (*task.applications, *collectors):
        waits = [one for one in container.get("dependsOn") or () if one["containerName"] in kept]
        conditions = {_named(task, one["containerName"]): {"condition": _CONDITIONS[one["condition"]]} for one in waits}
        settings = (
            _collector(recording, rendered, task, container)
            if wiring.is_collector(container)
            else _application(recording, task, container)
        )
        depends = {around: {"condition": "service_started"}, **conditions}
        made[_named(task, str(container["name"]))] = {**settings, **shared, "depends_on": depends}
    return made


_CONDITIONS: Final = {
    "START": "service_started",
    # ADOT's image has no shell for a health check of Compose's; to have been started is all that can be known.
    "HEALTHY": "service_started",
    "COMPLETE": "service_completed_successfully",
    "SUCCESS": "service_completed_successfully",
}


_STARTED_BY: Final = {"entryPoint": "entrypoint", "command": "command", "workingDirectory": "working_dir"}
"""How Compose calls what a container definition says of its first process."""
_TIMES: Final = {"interval": "interval", "timeout": "timeout", "startPeriod": "start_period"}
"""How Compose calls the times of a health check, in seconds."""


def _application(recording: Recording, task: Running, container: Mapping[str, Any]) -> Document:
    secrets = [wiring.text(one.get("name")) for one in container.get("secrets") or ()]
    # A secret comes from the environment of whoever starts it.
    environment = {**wiring.environment(container), **dict.fromkeys(secrets)}
    settings: Document = {**_image(recording, wiring.text(container.get("image"))), "environment": environment}
    for key, composed in _STARTED_BY.items():
        if container.get(key):
            settings[composed] = container[key]
    if check := wiring.table(container.get("healthCheck")):
        times = {composed: f"{check[key]}s" for key, composed in _TIMES.items() if key in check}
        settings["healthcheck"] = {"test": check["command"], **times}
        if "retries" in check:
            settings["healthcheck"]["retries"] = check["retries"]
    if mounted := _volumes(task, container):
        settings["volumes"] = mounted
    return settings


def _volumes(task: Running, container: Mapping[str, Any]) -> list[Document]:
    """What a container mounts; its volumes are those of its task."""
    return [
        {
            "type": "volume",
            "source": f"{task.name}-{point['sourceVolume']}",
            "target": point["containerPath"],
            "read_only": bool(point.get("readOnly")),
        }
        for point in container.get("mountPoints") or ()
    ]


def _image(recording: Recording, reference: str) -> Document:
    """An image that the stack builds is built here too, for this machine; every other one is fetched."""
    built: Resource | None = wiring.meant(recording, reference, _IMAGE)
    if built is None:
        return {"image": reference}
    location = wiring.text(wiring.table(built.inputs.get("context")).get("location"))
    return {"build": {"context": location if location.startswith("/") else f"{_ROOT}/{location.removeprefix('./')}"}}


def _collector(
    recording: Recording, rendered: Mapping[str, str], task: Running, container: Mapping[str, Any]
) -> Document:
    path = wiring.configuration_path(wiring.aws_name(task.task), str(container["name"]))
    secrets = [wiring.text(one.get("name")) for one in container.get("secrets") or ()]
    own = {key: value for key, value in wiring.environment(container).items() if key != travel.CONTENT}
    # Addresses beyond the stack, which the configuration lets a variable replace.
    beyond = re.findall(r"\$\{env:(\w+):-https?://", rendered[path])
    environment = {
        **own,
        **dict.fromkeys(secrets, "local"),
        **dict.fromkeys(sorted(set(beyond)), _AROUND),
        "AWS_PROMETHEUS_ENDPOINT": f"http://local-prometheus:{_PROMETHEUS_PORT}/api/v1/write",
        "AWS_ENDPOINT_URL": _AROUND,
        "AWS_ENDPOINT_URL_XRAY": _AROUND,
        "AWS_REGION": recording.region,
        # Requests are signed as on AWS, and nobody here looks at the signatures.
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "ECS_CONTAINER_METADATA_URI_V4": f"{_AROUND}/v4/{task.name}",
    }
    settings: Document = {
        "image": wiring.text(container.get("image")),
        "command": [
            f"--config={_CONFIGURATION}",
            *(one for one in container.get("command") or () if "--config=" not in one),
        ],
        "environment": environment,
        "volumes": [_mounted(f"../{path}", _CONFIGURATION)],
    }
    if container.get("memory"):
        settings["mem_limit"] = f"{container['memory']}m"
    return settings


def _identity(recording: Recording, task: Running) -> Document:
    """What ECS's metadata endpoint says of the task."""
    cluster = recording.outputs.get("cluster") or names.Names(recording.project, recording.stack).prefix
    identity = hashlib.sha256(f"{cluster}/{task.name}".encode()).hexdigest()[:32]
    arn = f"arn:aws:ecs:{recording.region}:{_ACCOUNT}"
    limits = {
        "CPU": int(task.task.inputs.get("cpu") or 256) / 1024,
        "Memory": int(task.task.inputs.get("memory") or 512),
    }
    family = wiring.aws_name(task.task)
    container: Document = {
        "DockerId": f"{identity}-1",
        "Name": task.name,
        "DockerName": task.name,
        "Image": "local",
        "ImageID": "local",
        "Labels": {},
        "DesiredStatus": "RUNNING",
        "KnownStatus": "RUNNING",
        "Limits": limits,
        "Type": "NORMAL",
        "ContainerARN": f"{arn}:container/{cluster}/{identity}/1",
        "Networks": [{"NetworkMode": "awsvpc", "IPv4Addresses": ["127.0.0.1"]}],
    }
    return {
        "Cluster": f"{arn}:cluster/{cluster}",
        "TaskARN": f"{arn}:task/{cluster}/{identity}",
        "Family": family,
        "Revision": "1",
        "ServiceName": task.name,
        "DesiredStatus": "RUNNING",
        "KnownStatus": "RUNNING",
        "Limits": limits,
        "AvailabilityZone": f"{recording.region}a",
        "LaunchType": "FARGATE",
        "Containers": [container],
    }


def _port(task: Running) -> int:
    """The first port of an application, 0 for a task that is none."""
    mappings = (one for container in task.applications for one in container.get("portMappings") or ())
    return next((int(one["containerPort"]) for one in mappings), 0)


def _named(task: Running, container: str) -> str:
    return container if container == task.name else f"{task.name}-{container}"


def _published(port: int) -> str:
    return f"127.0.0.1:{port}:{port}"


def _mounted(source: str, target: str) -> Document:
    # Without this a path that is not there becomes an empty folder.
    return {"type": "bind", "source": source, "target": target, "read_only": True, "bind": {"create_host_path": False}}


def _escaped(value: Any) -> Any:
    """Compose replaces `$`, and nothing of ours is meant so."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: _escaped(inner) for key, inner in cast("dict[str, Any]", value).items()}
    return [_escaped(item) for item in cast("list[Any]", value)] if isinstance(value, list) else value


def _yaml(document: Any) -> str:
    # Unicode is escaped: PyYAML writes some of its line ends as they are, and readers take those for blanks.
    return yaml.safe_dump(document, sort_keys=False, width=120)
