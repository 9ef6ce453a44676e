"""The local stack: files that Compose, Grafana, Prometheus and the collector take. No container is started here."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from cfnlint.jsonschema import StandardValidator
from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel

from documents import task
from documents.inputs import Architecture
from documents.instrumentation import AutoInstrumentation, Language
from preview import local, local_task, render
from preview.recorder import record
from preview.recording import Recording, Resource
from proof.processes import Child, Children, Program
from proof.task import base, free_ports
from proof.waiting import answers, until
from tools.build import program

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads(Path(__file__).with_name("compose-spec.json").read_text(encoding="utf-8"))
AMP = "grafana-amazonprometheus-datasource"

Files = Mapping[str, str]


def resource(token: str, known: str, **inputs: Any) -> Resource:
    return Resource(f"urn:{known}", token, known, "", True, inputs, (), "", {}, {})


COLLECTOR = {
    "name": "collector",
    "image": "public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0",
    "command": ["--feature-gates=some.gate"],
    "memory": 512,
    "environment": [
        {"name": "AOT_CONFIG_CONTENT", "value": "exporters: {otlp_http: {endpoint: '${env:DESTINATION_A:-https://a.b}'}}"},
        {"name": "AWS_PROMETHEUS_ENDPOINT", "value": "<metrics.prometheusEndpoint>api/v1/remote_write"},
        {"name": "GOMEMLIMIT", "value": "409MiB"},
    ],
    "secrets": [{"name": "PARTNER_KEY", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/key"}],
}  # fmt: skip
SHOP = {
    "name": "shop",
    "image": "<shop-image.ref>",
    "portMappings": [{"containerPort": 8080}],
    "environment": [{"name": "PRICE", "value": "$5"}],
    "secrets": [{"name": "DATABASE_URL", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/url"}],
    "dependsOn": [
        {"containerName": "collector", "condition": "HEALTHY"},
        {"containerName": "drain", "condition": "START"},
    ],
}
RESOURCES = (
    resource("aws:ecs/taskDefinition:TaskDefinition", "definition", family="toy-dev-shop", cpu="256", memory="1024",
             containerDefinitions=json.dumps([SHOP, {"name": "drain", "image": "busybox"}, COLLECTOR])),
    resource("aws:ecs/service:Service", "shop", name="shop", taskDefinition="<definition.arn>",
             serviceRegistries={"registryArn": "<shop-name.arn>"}),
    resource("aws:servicediscovery/service:Service", "shop-name", name="shop", dnsConfig={"namespaceId": "<space.id>"}),
    resource("aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace", "space", name="dev.toy.internal"),
    resource("docker-build:index:Image", "shop-image", context={"location": "./sample"}),
    resource("aws:ecs/taskDefinition:TaskDefinition", "finding", family="toy-dev-scraper", containerDefinitions="[]"),
    resource("aws:ecs/service:Service", "scraper", name="scraper", taskDefinition="<finding.arn>"),
    resource("aws:amp/workspaceConfiguration:WorkspaceConfiguration", "window", outOfOrderTimeWindowInSeconds=600),
    resource("grafana:oss/dataSource:DataSource", "amp", uid="amp", type=AMP,
             jsonDataEncoded=json.dumps({"httpMethod": "POST", "sigV4Auth": True, "timeInterval": "30s"})),
)  # fmt: skip
RENDERED = {
    "collector/toy-dev-shop.yaml": COLLECTOR["environment"][0]["value"],  # pyright: ignore[reportArgumentType, reportIndexIssue, reportCallIssue]
    "dashboards/overview.json": json.dumps(
        {"uid": "overview", "panels": [{"datasource": {"type": AMP, "uid": "amp"}}]}
    ),
    "rules/alerts.yaml": "groups: []\n",
}


def recording(*left_out: str) -> Recording:
    kept = tuple(one for one in RESOURCES if one.name not in left_out)
    return Recording("toy", "dev", "eu-west-1", {}, kept, {}, ())


def made(rendered: Files = RENDERED) -> dict[str, str]:
    return local.files(recording(), rendered)


def compose(files: Files) -> Any:
    return yaml.safe_load(files["local/compose.yaml"])


def test_the_containers_of_a_task_share_its_network_and_its_processes() -> None:
    services = compose(made())["services"]
    assert list(services) == ["local-grafana", "local-prometheus", "shop-task", "shop", "shop-collector"]
    shared = {"network_mode": "service:shop-task", "pid": "service:shop-task"}
    started = {"condition": "service_started"}
    assert services["shop"] == {
        "build": {"context": "../../../sample"},
        "environment": {"PRICE": "$$5", "DATABASE_URL": None},
        **shared,
        "depends_on": {"shop-task": started, "shop-collector": started},
    }
    assert services["shop-collector"] == {
        "image": "public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0",
        "command": ["--config=/etc/collector.yaml", "--feature-gates=some.gate"],
        "environment": {
            "AWS_PROMETHEUS_ENDPOINT": "http://local-prometheus:9090/api/v1/write",
            "GOMEMLIMIT": "409MiB",
            "PARTNER_KEY": "local",
            "DESTINATION_A": "http://127.0.0.1:51678",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:51678",
            "AWS_ENDPOINT_URL_XRAY": "http://127.0.0.1:51678",
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "ECS_CONTAINER_METADATA_URI_V4": "http://127.0.0.1:51678/v4/shop",
        },
        "volumes": [
            {
                "type": "bind",
                "source": "../collector/toy-dev-shop.yaml",
                "target": "/etc/collector.yaml",
                "read_only": True,
                "bind": {"create_host_path": False},
            }
        ],
        "mem_limit": "512m",
        **shared,
        "depends_on": {"shop-task": started},
    }
    around = services["shop-task"]
    assert around["networks"] == {"default": {"aliases": ["shop.dev.toy.internal"]}}
    assert around["ports"] == ["127.0.0.1:8080:8080"]


def test_a_container_starts_and_is_asked_for_its_health_as_on_ecs() -> None:
    check = {"command": ["CMD", "curl", "$HOST"], "interval": 30, "timeout": 5, "retries": 3, "startPeriod": 10}
    process = {"entryPoint": ["sh", "-c"], "command": ["echo $0"], "workingDirectory": "/srv", "healthCheck": check}
    definition = json.dumps([SHOP | process, COLLECTOR])
    first, *others = RESOURCES
    changed = replace(first, inputs={**first.inputs, "containerDefinitions": definition})
    toy = replace(recording(), resources=(changed, *others))
    shop = compose(local.files(toy, RENDERED))["services"]["shop"]
    assert {key: shop[key] for key in ("entrypoint", "command", "working_dir", "healthcheck")} == {
        "entrypoint": ["sh", "-c"],
        "command": ["echo $$0"],
        "working_dir": "/srv",
        "healthcheck": {
            "test": ["CMD", "curl", "$$HOST"],
            "interval": "30s",
            "timeout": "5s",
            "start_period": "10s",
            "retries": 3,
        },
    }


def test_a_person_enters_by_this_machine_only_and_starts_at_the_overview() -> None:
    grafana = compose(made())["services"]["local-grafana"]
    assert grafana["ports"] == ["127.0.0.1:3000:3000"]
    assert grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == (
        "/etc/grafana/local-dashboards/overview.json"
    )
    assert grafana["environment"]["AWS_SECRET_ACCESS_KEY"] is None


def test_dashboards_and_data_sources_fit_each_other() -> None:
    files = made()
    [panel] = json.loads(files["local/dashboards/overview.json"])["panels"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "amp"}
    assert yaml.safe_load(files["local/grafana/datasources.yaml"])["datasources"][0] == {
        "name": "amp",
        "uid": "amp",
        "type": "prometheus",
        "access": "proxy",
        "url": "http://local-prometheus:9090",
        "isDefault": True,
        "jsonData": {"httpMethod": "POST", "timeInterval": "30s"},
    }


def test_prometheus_takes_what_amp_takes() -> None:
    assert yaml.safe_load(made()["local/prometheus.yaml"]) == {
        "global": {"evaluation_interval": "60s"},
        "rule_files": ["rules/*.yaml"],
        "storage": {"tsdb": {"out_of_order_time_window": "600s"}},
    }


def test_an_agent_is_copied_into_a_volume_before_the_application_starts() -> None:
    agent = task.agent_additions(AutoInstrumentation(language=Language.JAVA), Architecture.ARM64, {})
    containers = task.instrument([SHOP, COLLECTOR], "shop", agent)
    [definition, *others] = RESOURCES
    instrumented = resource(
        definition.type, "definition", **{**definition.inputs, "containerDefinitions": json.dumps(containers)}
    )
    stack = Recording("toy", "dev", "eu-west-1", {}, (instrumented, *others), {}, ())
    document = compose(local.files(stack, RENDERED))
    assert list(StandardValidator(SCHEMA).iter_errors(document)) == []
    assert document["volumes"] == {"shop-auto-instrumentation": {}}
    mounted = {"type": "volume", "source": "shop-auto-instrumentation", "target": "/otel-auto-instrumentation"}
    assert document["services"]["shop"]["volumes"] == [mounted | {"read_only": True}]
    assert document["services"]["shop-auto-instrumentation"]["volumes"] == [mounted | {"read_only": False}]
    assert document["services"]["shop"]["depends_on"]["shop-auto-instrumentation"] == {
        "condition": "service_completed_successfully"
    }


def test_a_stack_without_rules_or_overview_mounts_none() -> None:
    files = made({path: text for path, text in RENDERED.items() if not path.startswith("rules/")})
    assert "rule_files" not in yaml.safe_load(files["local/prometheus.yaml"])
    assert not any("/rules" in mount["source"] for mount in mounts(files))
    other = {**RENDERED, "dashboards/other.json": RENDERED["dashboards/overview.json"]}
    other.pop("dashboards/overview.json")
    assert "HOME_DASHBOARD" not in made(other)["local/compose.yaml"]


def test_a_stack_without_dashboards_or_tasks_has_none() -> None:
    assert made({"collector/toy-dev-shop.yaml": ""}) == {}
    assert local.files(recording("shop"), RENDERED) == {}


def test_versions_are_those_of_the_proof_and_of_the_workspace() -> None:
    requirement = (ROOT / "tools/prometheus/go.mod").read_text(encoding="utf-8")
    minor, patch = re.findall(r"prometheus/prometheus v0\.(\d)(\d\d)\.", requirement)[0]
    assert f"prom/prometheus:v{minor}.{int(patch)}.0" == local.PROMETHEUS
    workspace = (ROOT / "components/grafana.py").read_text(encoding="utf-8")
    assert f'VERSION: Final = "{local.GRAFANA.partition(":")[2].rpartition(".")[0]}"' in workspace
    assert f"FROM {local.PYTHON}\n" in (ROOT / "sample/Dockerfile").read_text(encoding="utf-8")


# What others say a file looks like


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class DataSource(Strict):
    """Grafana documentation, "Provision Grafana", data sources."""

    name: str
    uid: str
    type: str
    access: str
    url: str = ""
    is_default: bool = False
    json_data: dict[str, str]


class DataSources(Strict):
    api_version: int
    datasources: list[DataSource]


class Provider(Strict):
    """The same page, dashboards."""

    name: str
    folder: str
    folder_uid: str
    type: str
    allow_ui_updates: bool
    options: dict[str, str]


class Providers(Strict):
    api_version: int
    providers: list[Provider]


def mounts(files: Files) -> list[dict[str, Any]]:
    services: Mapping[str, Any] = compose(files)["services"]
    return [mount for service in services.values() for mount in service.get("volumes", ())]


def check(files: Files, documents: Files) -> None:
    """Everything in a local stack that can be held against somebody's rules without starting it."""
    assert list(StandardValidator(SCHEMA).iter_errors(compose(files))) == []
    for name, model in (("datasources", DataSources), ("dashboards", Providers)):
        TypeAdapter(model).validate_python(yaml.safe_load(files[f"local/grafana/{name}.yaml"]))
    there = {Path("local", mount["source"]).as_posix() for mount in mounts(files)}
    every = {**files, **documents}
    for path in there:
        normal = re.sub(r"local/\.\./", "", path)
        assert any(known == normal or known.startswith(f"{normal}/") for known in every), path
    sources = {
        (one["uid"], one["type"]) for one in yaml.safe_load(files["local/grafana/datasources.yaml"])["datasources"]
    }
    named = {
        (uid, kind)
        for path, text in files.items()
        if path.startswith("local/dashboards/")
        for kind, uid in re.findall(r'"type": "([\w-]+)",\s*"uid": "(amp|xray|cloudwatch)"', text)
    }
    assert named <= sources


def test_published_schemas() -> None:
    check(made(), RENDERED)


@pytest.mark.parametrize(
    "wrong",
    [{"mem_limits": "1m"}, {"pid": 5}, {"depends_on": {"x": {"condition": "bad"}}}, {"ports": [{"target": True}]}],
)
def test_the_schema_finds_what_compose_would_refuse(wrong: Any) -> None:
    document = compose(made())
    document["services"]["shop"] |= wrong
    assert list(StandardValidator(SCHEMA).iter_errors(document))


# The container around a task


TASK = {"Limits": {"CPU": 0.25, "Memory": 1024}, "Containers": [{"DockerId": "1-1", "Name": "shop"}]}


def test_the_metadata_endpoint_has_the_paths_of_version_4() -> None:
    task = local_task.Task(TASK)
    assert task.metadata("/v4/shop")["Name"] == "shop"
    assert task.metadata("/v4/shop/task")["Containers"] == [task.container]
    assert task.metadata("/v4/shop/task/stats")["1-1"]["memory_stats"]["limit"] == 1024 * 1024 * 1024
    assert task.metadata("/v4/shop/stats")["cpu_stats"]["online_cpus"] == 1
    assert task.metadata("/v3/shop") is None


def test_figures_are_those_of_every_process_and_interface(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, (user, system, pages) in {1: (900, 900, 900), 20: (100, 50, 10), 21: (200, 50, 30)}.items():
        (tmp_path / str(number)).mkdir()
        before, after = " ".join(["0"] * 10), " ".join(["0"] * 8)
        text = f"{number} (a (b) c) S {before} {user} {system} {after} {pages} 0"
        (tmp_path / str(number) / "stat").write_text(text)
    (tmp_path / "net").mkdir()
    lines = ["head", "head", "    lo: 5 0 0 0 0 0 0 0 6 0", "  eth0: 700 0 0 0 0 0 0 0 300 0"]
    (tmp_path / "net" / "dev").write_text("\n".join(lines))
    monkeypatch.setattr(local_task, "_PROCESSES", tmp_path)
    monkeypatch.setattr(local_task, "_TICKS", 100)
    monkeypatch.setattr(local_task, "_PAGE", 4096)
    _, *figures = local_task.read()
    assert figures == [3.0, 1.0, 40 * 4096, 700, 300]


# Real stacks and real programs


@cache
def stack(name: str) -> Mapping[str, str]:
    return render.documents(record(ROOT, name))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dev", "prod"])
def test_every_stack_of_this_project(name: str, tmp_path: Path) -> None:
    documents = stack(name)
    check({path: text for path, text in documents.items() if path.startswith("local/")}, documents)
    assert documents == render.documents(record(ROOT, name))
    render.write(documents, tmp_path / name)
    # As the container has them: the rules beside the configuration.
    (tmp_path / name / "local" / "rules").symlink_to(tmp_path / name / "rules")
    command = [program("promtool"), "check", "config", "local/prometheus.yaml"]
    ran = subprocess.run(command, cwd=tmp_path / name, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.slow
def test_the_collector_runs_with_what_compose_gives_it(tmp_path: Path) -> None:
    asyncio.run(collector_at_work(stack("dev"), tmp_path))


async def collector_at_work(documents: Files, folder: Path) -> None:
    """The collector of a sidecar, ECS's figures from the container around it, a Prometheus: on ports of their own."""
    services = compose(documents)["services"]
    render.write(documents, folder / "stack")
    async with started(folder, services, documents) as (collector, prometheus, telemetry, otlp):

        async def has_figures() -> bool:
            query = {"query": 'ecs_task_memory_utilized{aws_ecs_service_name="storefront"} > 0'}
            async with httpx.AsyncClient(trust_env=False) as client:
                answer = (await client.get(f"{prometheus}/api/v1/query", params=query)).json()
            return bool(answer["data"]["result"])

        async def has_sent_traces() -> bool:
            async with httpx.AsyncClient(trust_env=False) as client:
                await client.post(f"{otlp}/v1/traces", json=SPAN)
                page = (await client.get(f"{telemetry}/metrics")).text
            return bool(re.search(r'otelcol_exporter_sent_spans\S*exporter="awsxray"\S* [1-9]', page))

        assert await until(has_figures, 60, collector.check), collector.last_lines()
        assert await until(has_sent_traces, 30, collector.check), collector.last_lines()


SPAN = {
    "resourceSpans": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "storefront"}}]},
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "traceId": "5b8efff798038103d269b633813fc60c",
                            "spanId": "eee19b7ec3c1b174",
                            "name": "GET /",
                            "kind": 2,
                            "startTimeUnixNano": "1780000000000000000",
                            "endTimeUnixNano": "1780000001000000000",
                        }
                    ]
                }
            ],
        }
    ]
}


@asynccontextmanager
async def started(
    folder: Path, services: Mapping[str, Any], documents: Files
) -> AsyncGenerator[tuple[Child, str, str, str]]:
    """The collector, and the addresses of Prometheus, of the collector's telemetry and of its OTLP receiver."""
    ports = free_ports()
    around, store = next(ports), next(ports)
    wanted = services["storefront-collector"]
    path = wanted["volumes"][0]["source"].removeprefix("../")
    moved = {
        variable: f"127.0.0.1:{next(ports)}" if variable.endswith("_ENDPOINT") else str(next(ports))
        for variable, _ in re.findall(r"\$\{env:(\w+):-(?:[\d.]+:)?(\d+)\}", documents[path])
    }
    given = {
        key: value.replace("127.0.0.1:51678", f"127.0.0.1:{around}").replace(
            "local-prometheus:9090", f"127.0.0.1:{store}"
        )
        for key, value in wanted["environment"].items()
    }
    with Children(folder) as children:
        children.start(
            Program(
                "around",
                [sys.executable, str(folder / "stack/local/local_task.py")],
                base(folder) | services["storefront-task"]["environment"] | {"PORT": str(around)},
            )
        )
        config = folder / "prometheus.yaml"
        config.write_text(documents["local/prometheus.yaml"].replace("rules/*", f"{folder}/stack/rules/*"))
        options = [*services["local-prometheus"]["command"][2:], f"--web.listen-address=127.0.0.1:{store}"]
        arguments = [
            str(program("prometheus").resolve()),
            f"--config.file={config}",
            "--storage.tsdb.path=store",
            *options,
        ]
        prometheus = children.start(Program("prometheus", arguments, base(folder)))
        await answers(prometheus, f"http://127.0.0.1:{store}/-/ready")
        own = {"RUN_IN_CONTAINER": "True", "QUEUE_DIRECTORY": str(folder / "queue"), "ECS_METRICS_INTERVAL": "1s"}
        command = [word.replace("/etc/collector.yaml", f"{folder}/stack/{path}") for word in wanted["command"]]
        collector = children.start(
            Program("collector", [str(program("collector").resolve()), *command], base(folder) | given | moved | own)
        )
        await answers(collector, f"http://{moved['HEALTH_CHECK_ENDPOINT']}/")
        telemetry, otlp = f"http://127.0.0.1:{moved['TELEMETRY_PORT']}", f"http://{moved['OTLP_HTTP_ENDPOINT']}"
        yield collector, f"http://127.0.0.1:{store}", telemetry, otlp
