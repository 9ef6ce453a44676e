"""Files of prices that are missing, or are none."""

import json
from pathlib import Path

import pytest

from documents import costs
from preview.costs import files, page
from preview.recording import ProgramError

OURS = (files.FOLDER / "us-east-1.json").read_bytes()


def refused(folder: Path, content: bytes, region: str = "us-east-1") -> str:
    (folder / "us-east-1.json").write_bytes(content)
    with pytest.raises(ProgramError) as caught:
        files.load(region, folder)
    return str(caught.value)


def test_every_file_of_the_project_is_one() -> None:
    for region in files.regions():
        assert files.load(region).region == region


@pytest.mark.parametrize("region", ["eu-west-1", "../us-east-1", ""])
def test_an_unknown_region_is_no_guess(tmp_path: Path, region: str) -> None:
    assert refused(tmp_path, OURS, region) == (
        f"no prices of {region!r} are known here, only of us-east-1: make a file of them with `make prices "
        f"REGION={region}` (AWS's public price list, no credentials), or say whose prices to take instead, with "
        "`PRICES=us-east-1`"
    )


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"nothing"])
def test_what_is_no_json(tmp_path: Path, content: bytes) -> None:
    assert refused(tmp_path, content) == "us-east-1.json is no file of prices: it is not JSON in UTF-8"


@pytest.mark.parametrize("content", [b"[]", b"null", b'{"region": 5}', b"{}"])
def test_what_has_no_prices(tmp_path: Path, content: bytes) -> None:
    assert refused(tmp_path, content).startswith("us-east-1.json is no file of prices:\n  ")


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    document = json.loads(OURS)
    document["prices"]["alarm"]["tiers"][1]["dollars"] = 0.1
    document["prices"]["zone"]["source"] = "rumour"
    lines = refused(tmp_path, json.dumps(document).encode()).splitlines()
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["prices.alarm.tiers.1.dollars", "prices.zone.source"]


def test_a_file_under_another_s_name(tmp_path: Path) -> None:
    text = refused(tmp_path, OURS.replace(b'"region": "us-east-1"', b'"region": "us-west-2"'))
    assert text == "us-east-1.json is no file of prices: it has those of 'us-west-2'"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "us-east-1.json").mkdir()
    with pytest.raises(ProgramError, match=r"us-east-1\.json: cannot be read: Is a directory"):
        files.load("us-east-1", tmp_path)


def test_prices_are_those_that_were_named_or_the_region_s_or_none() -> None:
    assert files.chosen("us-east-1", "") == files.load("us-east-1")
    assert files.chosen("eu-west-1", "us-east-1") == files.load("us-east-1")
    assert files.chosen("eu-west-1", "") is None
    with pytest.raises(ProgramError, match="no prices of 'mars' are known here, only of us-east-1: make a file"):
        files.chosen("us-east-1", "mars")


def test_the_documentation_has_every_assumption() -> None:
    spreads, _ = costs.assumed(())
    documentation = (Path(__file__).parents[3] / "docs/costs.md").read_text("utf-8")
    assert "\n".join(page.assumption_sheet(spreads).markdown()) in documentation
