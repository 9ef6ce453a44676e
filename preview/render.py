"""Every document of a stack as it would be deployed, byte for byte, and how they are written to a folder."""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from preview import local, wiring
from preview.recording import UNKNOWN, ProgramError, Recording, Resource, Secret
from preview.summary import summary

_ALERTMANAGER = "aws:amp/alertManagerDefinition:AlertManagerDefinition"


def documents(recording: Recording, prices: str = "") -> dict[str, str]:
    """Relative path to text, for everything that `recording` deploys. The same recording gives the same bytes.

    The summary counts with the prices of the stack's region, or of another that `prices` names.
    """
    rendered: dict[str, str] = {}
    for path, content in _documents(recording, prices):
        if path in rendered:
            raise ProgramError(f"two resources of this stack are rendered to {path}: give them different names")
        rendered[path] = content
    rendered |= local.files(recording, rendered)
    return dict(sorted(rendered.items()))


def _documents(recording: Recording, prices: str) -> Iterator[tuple[str, str]]:
    yield "resources.json", _json([_resource(recording, resource) for resource in recording.resources])
    for task in recording.of_type(wiring.TASK):
        family = _file_name(wiring.aws_name(task))
        yield f"tasks/{family}.json", _json(_register_task_definition(task))
        for container in wiring.containers(task):
            if wiring.is_collector(container):
                path = wiring.configuration_path(family, wiring.text(container.get("name")))
                yield path, wiring.configuration(recording, container)
    for role in recording.of_type(wiring.ROLE):
        given = wiring.permissions(recording, role)
        document = {"trust": given.trust, "permissions": given.documents, "managed": list(given.managed)}
        yield f"policies/{_file_name(wiring.aws_name(role))}.json", _json(document)
    for endpoint in recording.of_type(wiring.ENDPOINT):
        service = wiring.text(endpoint.inputs.get("serviceName"))
        yield f"endpoints/{_file_name(service)}.json", _json(wiring.parsed(endpoint.inputs.get("policy")))
    for dashboard in recording.of_type(wiring.DASHBOARD):
        if isinstance(content := dashboard.inputs.get("configJson"), str):
            yield f"dashboards/{_file_name(wiring.aws_name(dashboard))}.json", content
    yield from _owed(recording)
    yield from _central(recording)
    yield from _alerting(recording)
    yield "summary.md", summary(recording, prices)


def _owed(recording: Recording) -> Iterator[tuple[str, str]]:
    """Policies of what exists already, which whoever owns it attaches; and that of a key that is made."""
    if policy := recording.outputs.get("encryptionKeyPolicy"):
        yield "keys/encryption.json", _json(json.loads(policy))
    if policy := recording.outputs.get("grafanaRolePolicy"):
        yield "existing/grafana-role.json", _json(json.loads(policy))
    for name, needed in recording.outputs.get("rolePolicies", {}).items():
        for use, policy in needed.items():
            yield f"existing/{_file_name(name)}-{use}-role.json", _json(json.loads(policy))


def _central(recording: Recording) -> Iterator[tuple[str, str]]:
    """What whoever looks after a central account puts there."""
    for account in recording.of_type(wiring.CENTRAL_ACCOUNT):
        yield "central/role.json", _json(json.loads(account.outputs["role"]))
        for namespace, rules in account.outputs["rules"].items():
            yield f"central/rules/{namespace}.yaml", rules
        for uid, dashboard in account.outputs["dashboards"].items():
            yield f"central/dashboards/{uid}.json", dashboard


def _alerting(recording: Recording) -> Iterator[tuple[str, str]]:
    for rules in recording.of_type(wiring.RULES):
        if isinstance(content := rules.inputs.get("data"), str):
            yield f"rules/{_file_name(wiring.aws_name(rules))}.yaml", content
    for alertmanager in recording.of_type(_ALERTMANAGER):
        if isinstance(content := alertmanager.inputs.get("definition"), str):
            yield f"alertmanager/{_file_name(alertmanager.name)}.yaml", content
    for alarm in recording.of_type(wiring.ALARM):
        yield f"alarms/{_file_name(wiring.aws_name(alarm))}.json", _json(_put_metric_alarm(alarm))


def write(documents: Mapping[str, str], folder: Path) -> None:
    """Make `folder` hold exactly `documents`.

    They are written beside it and then take its place, so that it is always either the old one or the new one, and what
    a stack no longer has disappears.
    """
    new = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder")
    try:
        new.mkdir(parents=True)
        for path, content in documents.items():
            (new / path).parent.mkdir(parents=True, exist_ok=True)
            (new / path).write_bytes(content.encode())
        with contextlib.suppress(FileNotFoundError):
            folder.rename(old)
        new.rename(folder)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _resource(recording: Recording, resource: Resource) -> dict[str, Any]:
    names = {other.urn: other.name for other in recording.resources}
    options = dict(resource.options)
    if "deleted_with" in options:
        options["deleted_with"] = names.get(options["deleted_with"], options["deleted_with"])
    if "replacement_trigger" in options:
        # What it is for is to differ from day to day, and documents must not.
        options["replacement_trigger"] = "[set]"
    shown: dict[str, Any] = {
        "type": resource.type,
        "name": resource.name,
        "parent": names.get(resource.parent),
        "inputs": resource.inputs,
        "dependencies": sorted({names[urn] for urn in resource.dependencies if urn in names}),
    }
    if resource.provider:
        shown["provider"] = names.get(resource.provider, resource.provider)
    if options:
        shown["options"] = options
    return shown


def _register_task_definition(task: Resource) -> dict[str, Any]:
    """The request of `aws ecs register-task-definition --cli-input-json`.

    Pulumi's names differ from the API's in few places; what the API does not have (`region`, `skipDestroy`,
    `trackLatest`) is left out.
    """
    inputs = task.inputs
    request: dict[str, Any] = {
        key: inputs[key]
        for key in (
            "family",
            "taskRoleArn",
            "executionRoleArn",
            "networkMode",
            "requiresCompatibilities",
            "cpu",
            "memory",
            "pidMode",
            "ipcMode",
            "runtimePlatform",
            "placementConstraints",
            "enableFaultInjection",
        )
        if key in inputs
    }
    request["containerDefinitions"] = wiring.parsed(inputs.get("containerDefinitions"))
    if storage := wiring.table(inputs.get("ephemeralStorage")):
        request["ephemeralStorage"] = {"sizeInGiB": storage["sizeInGib"]}
    if proxy := wiring.table(inputs.get("proxyConfiguration")):
        properties = _pairs(proxy.get("properties"), "name")
        request["proxyConfiguration"] = {**proxy, "type": proxy.get("type", "APPMESH"), "properties": properties}
    if volumes := wiring.items(inputs.get("volumes")):
        request["volumes"] = [_volume(wiring.table(volume)) for volume in volumes]
    if tags := _pairs(inputs.get("tags"), "key"):
        request["tags"] = tags
    return request


def _put_metric_alarm(alarm: Resource) -> dict[str, Any]:
    """The request of `aws cloudwatch put-metric-alarm --cli-input-json`, for alarms with a list of metrics."""
    inputs = alarm.inputs
    names = {
        "name": "AlarmName",
        "alarmDescription": "AlarmDescription",
        "actionsEnabled": "ActionsEnabled",
        "alarmActions": "AlarmActions",
        "okActions": "OKActions",
        "insufficientDataActions": "InsufficientDataActions",
        "evaluationPeriods": "EvaluationPeriods",
        "datapointsToAlarm": "DatapointsToAlarm",
        "threshold": "Threshold",
        "comparisonOperator": "ComparisonOperator",
        "treatMissingData": "TreatMissingData",
    }
    request = {name: inputs[key] for key, name in names.items() if key in inputs}
    request["Metrics"] = [_metric_data_query(wiring.table(query)) for query in wiring.items(inputs["metricQueries"])]
    if warm_up := wiring.table(inputs.get("warmUpConfiguration")):
        request["WarmUpConfiguration"] = {"WarmUpPeriodDurationInMinutes": warm_up["warmUpPeriodDurationInMinutes"]}
    if tags := _pairs(inputs.get("tags"), "Key", "Value"):
        request["Tags"] = tags
    return request


def _metric_data_query(query: Mapping[str, Any]) -> dict[str, Any]:
    names = {"id": "Id", "expression": "Expression", "label": "Label", "period": "Period", "returnData": "ReturnData"}
    request = {name: query[key] for key, name in names.items() if key in query}
    if metric := wiring.table(query.get("metric")):
        request["MetricStat"] = {
            "Metric": {
                "Namespace": metric["namespace"],
                "MetricName": metric["metricName"],
                "Dimensions": _pairs(metric.get("dimensions"), "Name", "Value"),
            },
            "Period": metric["period"],
            "Stat": metric["stat"],
        }
    return request


def _volume(volume: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {"configureAtLaunch": "configuredAtLaunch"}
    request = {renamed.get(key, key): value for key, value in volume.items() if key != "hostPath"}
    return request | ({"host": {"sourcePath": volume["hostPath"]}} if "hostPath" in volume else {})


def _pairs(values: Any, name: str, value: str = "value") -> list[dict[str, Any]]:
    return [{name: key, value: each} for key, each in sorted(wiring.table(values).items())]


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "unnamed"


def _json(value: Any) -> str:
    return json.dumps(_shown(value), indent=2, ensure_ascii=False) + "\n"


def _shown(value: Any) -> Any:
    """`value` as JSON has it, without what is secret or unknown."""
    if isinstance(value, Secret) or value is UNKNOWN:
        return repr(value)
    if isinstance(value, Mapping):
        return {key: _shown(inner) for key, inner in wiring.table(value).items()}
    if isinstance(value, (list, tuple)):
        return [_shown(item) for item in wiring.items(value)]
    return value
