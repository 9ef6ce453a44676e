"""Judges of what goes to AWS, none of them ours: cfn-lint, botocore's own models, parliament.

Each returns its findings as texts, none for what is well formed.
"""

import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any

import botocore.session
import botocore.validate
import parliament
import yaml
from botocore.model import OperationModel, Shape
from cfnlint.api import lint
from cfnlint.config import ManualArgs

Json = Mapping[str, Any]

_MAPS = frozenset({"options", "dockerLabels"})
"""Members whose keys are the user's, and so are not written in another way for CloudFormation."""

_OTHERWISE = {"efsVolumeConfiguration": "EFSVolumeConfiguration", "fileSystemId": "FilesystemId", "iam": "IAM"}
"""Members that CloudFormation does not write as the API does."""


def cloud_formation(resources: Mapping[str, tuple[str, Json]], region: str) -> list[str]:
    """cfn-lint's findings on `resources`: type and properties by a name that the findings show."""
    logical = {f"R{index}": name for index, name in enumerate(resources)}
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            key: {"Type": resources[name][0], "Properties": resources[name][1]} for key, name in logical.items()
        },
    }
    found: list[str] = []
    # cfn-lint reads YAML, in which two escapes of JSON are not one character. By way of JSON nothing becomes an alias.
    text = yaml.dump(json.loads(json.dumps(template)), Dumper=yaml.CSafeDumper, sort_keys=False)
    matches: list[Any] = lint(text, config=ManualArgs(regions=[region]))
    for match in matches:
        path = [str(part) for part in match.path or ()]
        where = logical.get(path[1], "") if len(path) > 1 else ""
        found.append(f"{where} {'.'.join(path[3:])}: {match.rule.id} {match.message}")
    return found


def pascal(value: Any) -> Any:
    """A request of an AWS API as CloudFormation writes it."""
    if isinstance(value, list):
        return [pascal(item) for item in value]
    if isinstance(value, dict):
        return {
            _OTHERWISE.get(key, key[:1].upper() + key[1:]): inner if key in _MAPS else pascal(inner)
            for key, inner in value.items()
        }
    return value


def request(service: str, operation: str, payload: Json) -> list[str]:
    """What botocore's model of an operation says: unknown members, types, missing ones, and values of enumerations."""
    shape = _operation(service, operation).input_shape
    assert shape is not None
    report = botocore.validate.ParamValidator().validate(payload, shape)
    found = [report.generate_report()] if report.has_errors() else []
    return found or _outside_enumerations(shape, payload, operation)


def policy(document: Json) -> list[str]:
    """parliament's findings on an IAM policy document, its community auditors included."""
    return list(_policy(json.dumps(document)))


# Stacks have most of their policies in common, and parliament takes half a second for each.
@functools.cache
def _policy(text: str) -> tuple[str, ...]:
    findings: Iterable[Any] = parliament.analyze_policy_string(text, include_community_auditors=True).findings
    return tuple(f"{finding.issue}: {finding.detail} {finding.location}" for finding in findings)


def members(service: str, operation: str) -> list[str]:
    """The names of what an operation's request may hold."""
    shape = _operation(service, operation).input_shape
    return list(getattr(shape, "members", {}))


@functools.cache
def _operation(service: str, operation: str) -> OperationModel:
    return botocore.session.Session().get_service_model(service).operation_model(operation)


def _outside_enumerations(shape: Shape, value: Any, path: str) -> list[str]:
    """What `ParamValidator` leaves out."""
    kind: Any = shape
    match shape.type_name:
        case "structure":
            return [
                fault
                for key, inner in value.items()
                for fault in _outside_enumerations(kind.members[key], inner, f"{path}.{key}")
            ]
        case "list":
            return [
                fault
                for index, inner in enumerate(value)
                for fault in _outside_enumerations(kind.member, inner, f"{path}.{index}")
            ]
        case "map":
            return [
                fault
                for key, inner in value.items()
                for fault in _outside_enumerations(kind.value, inner, f"{path}.{key}")
            ]
        case "string" if kind.enum and value not in kind.enum:
            return [f"{path}: {value!r} is none of {', '.join(kind.enum)}"]
        case _:
            return []
