"""Whole stack configurations, generated from the models of what a user may ask for.

A key that is new in a model is generated without a word here, unless only some texts are right for it: those stand in
SAMPLES, and where they are missing the generator says so. What does not go together is not known here either. It is
taken out again where `settings.load` names it, which only works if every fault names the key that is wrong.
"""

import functools
import inspect
import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from hypothesis import assume
from hypothesis import strategies as some
from hypothesis.strategies import SearchStrategy
from pydantic import AfterValidator, BaseModel, StringConstraints
from pydantic.fields import FieldInfo

import settings
from documents import fargate
from documents.alerting.alerts import ALERTS, OF_NO_APPLICATION
from documents.environment.model import Settings
from documents.faults import ConfigurationError
from documents.names import Names
from tests import hostile
from tests.components.variants import VARIANTS

ROOT: Final = Path(__file__).resolve().parents[1]
PROJECT: Final = "ecs-observability"
NAMES: Final = Names(PROJECT, "dev")
REGIONS: Final = ("eu-west-1", "eu-central-1", "us-gov-west-1")
MANY: Final = os.environ.get("HYPOTHESIS_PROFILE") == "many"
"""Whether thousands are asked for, and others each time; see tests/conftest.py."""

Configuration = dict[str, Any]
"""The keys of a stack file without the project's name, and `aws:region`."""

_ACCOUNT: Final = "123456789012"
_SECRET: Final = f"arn:aws:secretsmanager:eu-west-1:{_ACCOUNT}:secret:db-AbCdEf"
_PARAMETER: Final = f"arn:aws:ssm:eu-west-1:{_ACCOUNT}:parameter/shop/dsn"
_UUID: Final = "0f8fad5b-d9cb-469f-a165-70867728950e"
_WORKSPACE: Final = "ws-12345678-1234-1234-1234-123456789012"
_SCHEDULES: Final = ("cron(0 7 ? * MON-FRI *)", "at(2027-11-26T00:00:00)", "cron(*/5 * * * ? *)")

TEXTS: Final[SearchStrategy[str]] = some.sampled_from(hostile.TEXTS) | some.text(
    some.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30
)
"""What stands where any text may stand."""

SAMPLES: Final[Mapping[str, tuple[Any, ...]]] = {
    # By the function that judges the text.
    "application_name": ("web", "api", "shop-2", "storefront", "x", "a" * 27, "null", "yes"),
    "image_reference": (
        "shop/web:1.4.2",
        "shop/web:latest",
        "localhost:5000/a/b_c:1",
        f"{_ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/shop:1",
        f"{_ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com/shop@sha256:{'0' * 64}",
        "<your account>.dkr.ecr.eu-west-1.amazonaws.com/shop:1",
    ),
    "_relative": ("./sample", "sample"),
    "_secret_arn": (_SECRET, f"{_SECRET}:user::", _PARAMETER),
    "_role_arn": (f"arn:aws:iam::{_ACCOUNT}:role/shop", f"arn:aws:iam::{_ACCOUNT}:role/a/b/shop+=,.@-"),
    "_user": ("1000:1000", "nobody"),
    "_volume_name": ("data", "cache-1"),
    "_group": ("/shop/web", "shop#1"),
    "_action": ("firehose:PutRecordBatch", "firehose:PutRecord"),
    "_resource": (f"arn:aws:firehose:eu-west-1:{_ACCOUNT}:deliverystream/shop",),
    "_file": ("/fluent-bit/shop.conf", "/a/b.yaml"),
    "_host": ("shop.example.com", "*.example.com", "a.example.com"),
    "_plain_path": ("/", "/healthz", "/a\"b'c\\d${e}|<f>"),
    "_codes": ("200", "200-299", "200,302"),
    "_header": ("X-Preview", "a!#$%&'*+.^_`|~-"),
    "_schedule_name": ("morning", "sale", "night"),
    "expression": _SCHEDULES,
    "_expression": (*_SCHEDULES, "rate(5 minutes)", "rate(1 hour)"),
    "_time_zone": ("UTC", "Europe/Berlin"),
    "_known": tuple(alert.name for alert in ALERTS),
    "_destination_name": ("acme", "Partner-2"),
    "_https": ("https://otlp.example.com", "https://otlp.example.com:4318/a/b"),
    "_folder": ("https://example.com/runbooks", "https://example.com/a!&*+,;=%20~b"),
    "_secure": ("https://events.example.com/key", "<secret>"),
    "_identity_id": (_UUID, f"0123456789-{_UUID}", "<your Identity Center user id>"),
    "_iam_path": ("/", "/observability/"),
    "_permissions_boundary": (f"arn:aws:iam::{_ACCOUNT}:policy/limits", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
    "_instance_type": ("m7g.large", "m7i-flex.large", "c7g.2xlarge", "t3.medium"),
    "_provider": ("shared-instances",),
    "_certificate": (f"arn:aws:acm:eu-west-1:{_ACCOUNT}:certificate/{_UUID}",),
    "_domain": ("example.com", "*.example.com", "shop.example.com"),
    "_zone": ("Z0123456789ABCDEFGHIJ", "<your hosted zone>"),
    "_listener": (
        f"arn:aws:elasticloadbalancing:eu-west-1:{_ACCOUNT}:listener/app/shared/50dc6c495c0c9188/f2f7dc8efc522ab2",
    ),
    "_security_group": ("sg-0123456789abcdef0",),
    "_range": ("10.0.0.0/8", "0.0.0.0/0", "203.0.113.7"),
    "_cluster": ("shared", f"arn:aws:ecs:eu-west-1:{_ACCOUNT}:cluster/shared"),
    "_grafana": ("g-1234567890",),
    "_key": ("made", f"arn:aws:kms:eu-west-1:{_ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
    "_external_id": ("shop/1", "a=b,c.d@e:f+g"),
    "_organization": ("o-a1b2c3d4e5",),
    "_roles": (f"arn:aws:iam::{_ACCOUNT}:role/shop-*-task", f"arn:aws:iam::{_ACCOUNT}:role/a/shop"),
    "_seconds": ("300ms", "0.3s", "1s", "2.5s"),
    # By model and key, where one function judges several.
    "Scrape.path": ("/metrics", "/a\"b'c\\d$e${f}{{g}}|é"),
    "Container.tmpfs": ("/tmp", "/run/a"),
    "Container.workingDirectory": ("/srv", "/a'b\"c$d"),
    "Volume.path": ("/data", "/var/cache", "/a'b\"c$d\\e"),
    "Efs.fileSystemId": ("fs-0123456789abcdef0", "fs-0123456789abcdef1", "<your file system>"),
    "Efs.accessPointId": ("fsap-0123456789abcdef0",),
    "Efs.rootDirectory": ("/shop",),
    "Traffic.paths": ("/*", "/api/*", "/a$b~'c\"@?"),
    "Split.of": ("web", "api", "storefront"),
    "Destination.headers": ("api-key", "x-team", "a!#%&'*+.^_`|~"),
    "Subscription.email": ("people@example.com", "<your e-mail address>", "a\"b'c${d}@example.com"),
    "Slack.workspace": ("T0123ABCD",),
    "Slack.channel": ("C0123ABCD",),
    "Teams.tenant": (_UUID,),
    "Teams.team": (_UUID,),
    "Teams.channel": ("19%3aabc%40thread.tacv2",),
    "Metadata.url": ("https://idp.example.com/metadata",),
    "Metadata.xml": ('<EntityDescriptor a="${x}"/>',),
    "NetworkAccess.prefixLists": ("pl-0123456789abcdef0", "pl-0123456789abcdef1"),
    "NetworkAccess.endpoints": ("vpce-0123456789abcdef0",),
    "Vpc.subnets": ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1"),
    "Vpc.securityGroups": ("sg-0123456789abcdef0", "sg-0123456789abcdef1"),
    "Network.subnets": ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1", "<your subnet>"),
    "Network.vpc": ("vpc-0123456789abcdef0", "<your VPC>"),
    "Network.cidr": ("10.0.0.0/16", "172.20.0.0/20", "10.9.0.0/24"),
    "LoadBalancer.subnets": ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1"),
    "Existing.metrics": (_WORKSPACE,),
    "Central.workspace": tuple(f"arn:aws:aps:{region}:{_ACCOUNT}:workspace/{_WORKSPACE}" for region in REGIONS[:2]),
    "Grafana.dashboards": ("tests/components/team.json",),
    "StackCollector.image": ("public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0",),
    "Workload.environment": ("LEVEL", "OTEL_SERVICE_NAME", "PYTHONPATH", "_a1"),
    "Workload.secrets": ("DSN", "DB_PASSWORD"),
    "FireLens.options": ("Retry_Limit", "Name", "log-driver-buffer-limit"),
    "FireLens.secretOptions": ("external_id", "api_key"),
    "Settings.tags": ("team", "cost centre", "a.:/=+@_-é"),
    "ApplicationAlerts.disabled": tuple(alert.name for alert in ALERTS if alert.name not in OF_NO_APPLICATION),
    "HealthCheck.command": ("CMD-SHELL", "CMD"),
}
"""Texts that are right where not every text is."""

_PROCESSORS: Final = {
    "attributes/mine": {"actions": [{"key": "team", "value": "a 'b' \"c\" \\ $${d} {{e}}\nf", "action": "insert"}]}
}
ADDITIONS: Final = (
    {},
    {"extensions": {"zpages": None}, "service": {"extensions": ["zpages"]}},
    {"service": {"telemetry": {"logs": {"level": "warn"}}}},
    {"processors": _PROCESSORS, "service": {"pipelines": {"traces": {"processors": ["attributes/mine"]}}}},
    {
        "receivers": {"zipkin/mine": {"endpoint": "127.0.0.1:9999"}},
        "exporters": {"debug": {}},
        "connectors": {},
        "service": {"pipelines": {"traces": {"receivers": ["zipkin/mine"], "exporters": ["debug"]}}},
    },
)
"""Pieces of a collector's configuration that go with ours. What else is right there, only the collector knows."""


@some.composite
def _sized(draw: some.DrawFn, made: SearchStrategy[Configuration]) -> Configuration:
    """An application or a task of a size that Fargate has, mostly with room for a sidecar."""
    workload = draw(made)
    if "memory" in workload or "cpu" in workload:
        cpu = draw(some.sampled_from((512, 1024, 4096, 256)))
        workload |= {"cpu": cpu, "memory": draw(some.sampled_from(fargate.SIZES[cpu]))}
    return workload


def _ordered(made: SearchStrategy[Configuration], low: str, high: str) -> SearchStrategy[Configuration]:
    """With the lower of two numbers not above the higher, where both are said."""

    def order(values: Configuration) -> Configuration:
        if low in values and high in values:
            values |= {low: min(values[low], values[high]), high: max(values[low], values[high])}
        return values

    return made.map(order)


_FITTED: Final[Mapping[str, Callable[[SearchStrategy[Configuration]], SearchStrategy[Configuration]]]] = {
    "StackApplication": _sized,
    "StackTask": _sized,
    "Limit": lambda made: _ordered(made, "soft", "hard"),
    "TargetHealth": lambda made: _ordered(made, "timeout", "interval"),
    **dict.fromkeys(
        ("Scaling", "CollectorScaling", "Schedule", "Instances"), lambda made: _ordered(made, "min", "max")
    ),
}
"""Models whose keys seldom go together by chance."""


@dataclass(frozen=True)
class _Place:
    """A key of a model, and what stands above it in the model's inheritance."""

    model: type[BaseModel]
    key: str

    @property
    def names(self) -> Iterator[str]:
        for one in self.model.__mro__:
            yield f"{one.__name__}.{self.key}"


@functools.cache
def of(model: type[BaseModel]) -> SearchStrategy[Configuration]:
    """What a stack file may say of a model, by its aliases."""
    if model.__name__ == "Additions":
        return some.sampled_from(ADDITIONS)
    made = {key: _of(field.annotation, field.metadata, _Place(model, key)) for key, field in _fields(model)}
    required = {key: made.pop(key) for key, field in _fields(model) if field.is_required()}
    whole = some.fixed_dictionaries(required, optional=made)
    return _FITTED.get(model.__name__, lambda strategy: strategy)(whole)


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models of which a key's values are; none where what is in them is the collector's."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return [] if annotation.__name__ == "Additions" else [annotation]
    return [model for argument in get_args(annotation) for model in models_in(argument)]


def _fields(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    return [(field.alias or name, field) for name, field in model.model_fields.items()]


def _of(annotation: Any, metadata: Any, place: _Place) -> SearchStrategy[Any]:  # noqa: PLR0911 - one for each kind
    metadata = [part for each in metadata for part in (each.metadata if isinstance(each, FieldInfo) else [each])]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _of(arguments[0], [*arguments[1:], *metadata], place)
    if (samples := _samples(metadata, place)) and origin not in (tuple, frozenset, Union, UnionType):
        keys = some.sampled_from(samples)
        # Of a map, it is the keys that not every text is right for.
        value = _Place(place.model, f"{place.key}.*")
        return some.dictionaries(keys, _of(arguments[1], [], value), max_size=2) if _is_map(origin) else keys
    if origin in (Union, UnionType):
        return some.one_of([some.none() if each is NoneType else _of(each, metadata, place) for each in arguments])
    if origin is Literal:
        return some.sampled_from(arguments)
    if origin in (tuple, frozenset):
        least = max([0, *(part.min_length for part in metadata if isinstance(part, MinLen))])
        return some.lists(_of(arguments[0], [], place), min_size=least, max_size=3, unique_by=_text)
    if _is_map(origin):
        key = _of(arguments[0], [], place)
        return some.dictionaries(key, _of(arguments[1], [], place), max_size=2)
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return some.deferred(lambda: of(annotation))
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return some.sampled_from([each.value for each in annotation])
    return _scalar(annotation, metadata, place)


def _scalar(annotation: Any, metadata: list[Any], place: _Place) -> SearchStrategy[Any]:
    low: Any = max([cast(Any, part.ge) for part in metadata if isinstance(part, Ge)], default=None)
    high: Any = min([cast(Any, part.le) for part in metadata if isinstance(part, Le)], default=None)
    if annotation is bool:
        return some.booleans()
    if annotation is int:
        return some.integers(0 if low is None else low, 100_000 if high is None else high)
    if annotation is float:
        open_end = any(isinstance(part, Gt) for part in metadata)
        return some.floats(low or 0, 100 if high is None else high, exclude_min=open_end, allow_nan=False).map(
            lambda number: round(number, 3) or (0.5 if open_end else 0)
        )
    assert annotation is str, f"{'.'.join(place.names)}: nothing is known of {annotation}"
    assert not any(isinstance(part, AfterValidator) for part in metadata), (
        f"{next(place.names)}: not every text is right; give some in tests/configurations.py, SAMPLES"
    )
    limits = [part for part in metadata if isinstance(part, MinLen | MaxLen | StringConstraints)]
    least = max([getattr(part, "min_length", 0) or 0 for part in limits], default=0)
    most = min([getattr(part, "max_length", 256) or 256 for part in limits], default=256)
    return TEXTS.filter(lambda text: least <= len(text) <= most)


def _samples(metadata: list[Any], place: _Place) -> tuple[Any, ...]:
    judges = [part.func.__name__ for part in metadata if hasattr(part, "func")]
    for name in (*place.names, *judges):
        if name in SAMPLES:
            return SAMPLES[name]
    return ()


def _is_map(origin: Any) -> bool:
    return inspect.isclass(origin) and issubclass(origin, Mapping)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@some.composite
def configurations(draw: some.DrawFn) -> Configuration:
    """A configuration that `settings.load` takes: one that somebody wrote, with what is drawn written over it."""
    written = draw(some.sampled_from(WRITTEN))
    made = draw(of(Settings))
    region = written.get("aws:region") or draw(some.sampled_from(REGIONS))
    found = mended({**_of_partition(_merged(written, made), region), "aws:region": region})
    assume(found is not None)
    assert found is not None
    return found


WRITTEN: Final[tuple[Configuration, ...]] = tuple(dict(each) for each in VARIANTS.values())
"""What needs several keys that go together seldom comes by chance."""


def _merged(below: Any, above: Any) -> Any:
    """Maps and lists merge; of what both say, what stands above holds."""
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        return {
            key: _merged(below.get(key), above[key]) if key in above else _copy(below[key]) for key in (*below, *above)
        }
    if isinstance(below, list) and isinstance(above, list) and all(isinstance(one, dict) for one in (*below, *above)):
        pairs = itertools.zip_longest(below, above)
        return [_copy(low if high is None else high if low is None else _merged(low, high)) for low, high in pairs]
    return _copy(above)


def _of_partition(values: Configuration, region: str) -> Configuration:
    """With ARNs of the partition that the region is in. That others are refused is AWS's to say."""
    partition = "aws-us-gov" if region.startswith("us-gov") else "aws"
    return json.loads(json.dumps(values).replace("arn:aws:", f"arn:{partition}:"))


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))


def texts(values: Configuration) -> dict[str, str]:
    """What Pulumi hands to a program: texts by full key, structured values as JSON."""
    full = {key if ":" in key else f"{PROJECT}:{key}": value for key, value in values.items()}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in full.items()}


def load(values: Configuration) -> Settings:
    """The settings. Raises ConfigurationError."""
    return settings.load(texts(values), NAMES, ROOT)[0]


_GONE: Final = object()
_MOST_ROUNDS: Final = 50


def mended(values: Configuration) -> Configuration | None:
    """The configuration without what is wrong in it, or None if there is no application left."""
    for _ in range(_MOST_ROUNDS):
        try:
            load(values)
        except ConfigurationError as error:
            for fault in error.faults:
                if not _put(values, fault.key):
                    _take_out(values, fault.key)
            values = _without_gone(values)
        else:
            return values
        if not values.get("applications"):
            return None
    raise AssertionError(f"what is wrong stays wrong: {values}")


def _put(values: Configuration, key: str) -> bool:
    """Whether something else is put where a default does not go with what is said besides."""
    remedy: Any = False if key == "grafana.enabled" else None
    if key.endswith(("image", "Image")):
        # From a closed network only copies in the stack's region can be had.
        registry = f"{_ACCOUNT}.dkr.ecr.{values['aws:region']}.amazonaws.com"
        remedy = f"{registry}/adot:v0.49.0" if key == "collector.image" else f"{registry}/copy:1.2.3"
    here: Any = values
    *above, last = key.split(".")
    for step in above if remedy is not None else ():
        if isinstance(here, dict):
            here = here.setdefault(step, {})
        elif isinstance(here, list) and step.isdigit() and int(step) < len(here):
            here = here[int(step)]
    if remedy is None or not isinstance(here, dict) or here.get(last) == remedy:
        return False
    here[last] = remedy
    return True


def _take_out(values: Configuration, key: str) -> None:
    """Take out what a fault names, or what it stands in where it is left out."""
    owners: list[tuple[Any, Any]] = []
    here: Any = values
    rest = key
    while rest and (step := next_step(here, rest)) is not None:
        owners.append((here, step))
        here, rest = here[step], rest[len(str(step)) + 1 :]
        if here is _GONE:
            return
    assert owners, f"a fault names {key}, which is nowhere in {sorted(values)}"
    holder, step = owners[-1]
    holder[step] = _GONE


def next_step(here: Any, rest: str) -> Any:
    """The key of a map or the index of a list with which the rest of a fault's key begins."""
    if isinstance(here, list):
        index = rest.partition(".")[0]
        return int(index) if index.isdigit() and int(index) < len(here) else None
    if isinstance(here, dict):
        return max((key for key in here if f"{rest}.".startswith(f"{key}.")), key=len, default=None)
    return None


def _without_gone(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_gone(inner) for key, inner in value.items() if inner is not _GONE}
    if isinstance(value, list):
        return [_without_gone(inner) for inner in value if inner is not _GONE]
    return value
