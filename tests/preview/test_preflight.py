"""The check before a deployment: one line for each thing that is missing, and nothing started."""

from pathlib import Path

import pytest

from preview import preflight

STACK = """
config:
  aws:region: eu-west-1
  shop:applications:
    - name: storefront
      image: { build: ./sample }
  shop:grafana:
    admins:
      users: [<your Identity Center user id>]
"""


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without programs on PATH and without credentials; the stack file is `Pulumi.dev.yaml`."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "Pulumi.dev.yaml").write_text(STACK)
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    return tmp_path


def program(folder: Path, name: str, exit_code: int = 0) -> None:
    binary = folder / "bin" / name
    binary.parent.mkdir(exist_ok=True)
    binary.write_text(f"#!/bin/sh\nexit {exit_code}\n")
    binary.chmod(0o755)


def test_everything_is_missing(nothing_installed: Path) -> None:
    assert list(preflight.missing_for_deploy(nothing_installed, "dev")) == [
        "pulumi: the CLI is not on PATH; install it from pulumi.com/docs/iac/download-install",
        "docker: the stack builds images, and no Docker engine answers; start one, or give image references",
        "credentials: AWS has none for you here; run `aws configure`, or set AWS_PROFILE",
        "shop:grafana.admins.users.0: <your Identity Center user id> is still to be filled in; "
        "write the value into Pulumi.dev.yaml",
    ]


def test_nothing_is_missing(nothing_installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(nothing_installed, "pulumi")
    program(nothing_installed, "docker")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    (nothing_installed / "Pulumi.dev.yaml").write_text(STACK.replace("<your Identity Center user id>", "1234-abcd"))
    assert list(preflight.missing_for_deploy(nothing_installed, "dev")) == []


@pytest.mark.parametrize("said", ["true", "'true'", "false"])
def test_what_is_protected_is_not_destroyed(
    nothing_installed: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    program(nothing_installed, "pulumi")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    (nothing_installed / "Pulumi.dev.yaml").write_text(f"{STACK}  shop:protect: {said}\n")
    line = (
        "shop:protect: is true, so that Pulumi deletes nothing; set it to false, `make deploy STACK=dev`, then "
        "`make destroy STACK=dev`"
    )
    assert list(preflight.missing_for_destroy(nothing_installed, "dev")) == ([line] if "true" in said else [])


@pytest.mark.parametrize(
    ("keys", "asks"),
    [("", False), ("  shop:existing: { metrics: ws-1 }\n", False), ("  shop:existing: { grafana: g-1 }\n", True)],
)
def test_a_token_is_renewed_before_a_grafana_of_others_is_asked(nothing_installed: Path, keys: str, asks: bool) -> None:
    (nothing_installed / "Pulumi.dev.yaml").write_text(f"{STACK}{keys}")
    assert preflight.asks_grafana_to_destroy(nothing_installed, "dev") is asks


def test_a_docker_client_without_an_engine(nothing_installed: Path) -> None:
    program(nothing_installed, "docker", exit_code=1)
    assert any(line.startswith("docker: ") for line in preflight.missing_for_deploy(nothing_installed, "dev"))


def test_image_references_need_no_docker(nothing_installed: Path) -> None:
    (nothing_installed / "Pulumi.dev.yaml").write_text(STACK.replace("{ build: ./sample }", "shop/storefront:1.4.2"))
    assert not any(line.startswith("docker: ") for line in preflight.missing_for_deploy(nothing_installed, "dev"))


def test_a_placeholder_within_a_value(nothing_installed: Path) -> None:
    image = "<your account>.dkr.ecr.eu-west-1.amazonaws.com/shop:1"
    (nothing_installed / "Pulumi.dev.yaml").write_text(STACK.replace("{ build: ./sample }", f'"{image}"'))
    assert (
        "shop:applications.0.image: <your account> is still to be filled in; write the value into Pulumi.dev.yaml"
        in list(preflight.missing_for_deploy(nothing_installed, "dev"))
    )


@pytest.mark.parametrize("text", ["config: [", "- a\n", "config: [1]\n"])
def test_a_stack_file_that_is_none(nothing_installed: Path, text: str) -> None:
    (nothing_installed / "Pulumi.dev.yaml").write_text(text)
    assert list(preflight.missing_for_deploy(nothing_installed, "dev"))


def test_destroying_needs_neither_docker_nor_values(nothing_installed: Path) -> None:
    assert [line.split(":")[0] for line in preflight.missing_for_destroy(nothing_installed, "dev")] == [
        "pulumi",
        "credentials",
    ]


def test_the_project_may_give_the_region(nothing_installed: Path) -> None:
    (nothing_installed / "Pulumi.yaml").write_text("name: shop\nconfig:\n  aws:region:\n    value: eu-west-1\n")
    (nothing_installed / "Pulumi.dev.yaml").write_text("config: {}\n")
    assert not any(line.startswith("region") for line in preflight.missing_for_deploy(nothing_installed, "dev"))


def test_no_region(nothing_installed: Path) -> None:
    (nothing_installed / "Pulumi.dev.yaml").write_text("config: {}\n")
    assert "region: the stack file has no aws:region; add one, for example aws:region: eu-west-1" in list(
        preflight.missing_for_deploy(nothing_installed, "dev")
    )


def test_no_such_stack(nothing_installed: Path) -> None:
    assert list(preflight.missing_for_deploy(nothing_installed, "live")) == [
        "stack: there is no Pulumi.live.yaml; write one, or choose STACK=dev"
    ]


def test_a_profile_that_does_not_exist(nothing_installed: Path) -> None:
    (nothing_installed / "Pulumi.dev.yaml").write_text("config:\n  aws:region: eu-west-1\n  aws:profile: nobody\n")
    assert any(
        line.startswith("credentials: ") and "nobody" in line
        for line in preflight.missing_for_deploy(nothing_installed, "dev")
    )


def test_the_command_says_that_nothing_was_touched(nothing_installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["preflight", "deploy", "dev"])
    with pytest.raises(SystemExit) as caught:
        preflight.main()
    assert str(caught.value.code).splitlines()[-1] == "stack 'dev' was not touched"
