"""What the benchmarks make of figures, without measuring any."""

from dataclasses import replace

from tests.proof.live import wanted
from trials import bench, plain
from trials.bench import Burst, Steady

BURSTS = {
    "ours": Burst(cpu=3.5, delivered=8.0, sent=60_000 * 1_000, memory=120 * 1024**2, series=31),
    "plain": Burst(cpu=5.0, delivered=10.0, sent=60_000 * 2_000, memory=100 * 1024**2, series=54),
    "floor": Burst(cpu=3.2, delivered=9.0, sent=60_000 * 900, memory=90 * 1024**2, series=0),
}
GROWTH = {"sidecar": [Steady(100, 0.05, 1024**2), Steady(1_000, 0.14, 1024**2), Steady(5_000, 0.54, 2 * 1024**2)]}


def test_goals_are_met_or_missed() -> None:
    assert [row.cells(BURSTS)[-2:] for row in bench.ROWS] == [
        ["0.70", "0.7: met"],
        ["0.80", ""],
        ["0.50", "0.4: missed"],
        ["1.20", "1.1: missed"],
        ["0.57", ""],
    ]


def test_growth_is_told_by_its_slope() -> None:
    assert bench.growth_rows(GROWTH) == [
        ["sidecar", "100", "51", "", "1"],
        ["sidecar", "1,000", "143", "102", "1"],
        ["sidecar", "5,000", "553", "102", "2"],
    ]


def test_the_median_of_each_figure() -> None:
    ours = BURSTS["ours"]
    assert bench.median([ours, replace(ours, cpu=9.0), replace(ours, cpu=4.0, series=33)]) == replace(ours, cpu=4.0)


def test_the_page_has_every_figure() -> None:
    text = bench.page({"bursts": BURSTS, "growth": GROWTH}, "ADOT v0.49.0")
    assert "| CPU, seconds | 3.50 | 5.00 | 3.20 | 0.70 | 0.7: met |\n" in text
    assert "| sidecar | 5,000 | 553 | 102 | 2 |\n" in text
    assert "{" not in text


def test_plain_tasks_have_nothing_of_ours() -> None:
    services = bench.arrangements(wanted("dev").applications[0])
    assert [[one["name"] for one in each.definition["containerDefinitions"]] for each in services.values()] == [
        ["storefront", "drain", "collector"],
        ["storefront", "collector"],
        ["storefront", "collector"],
    ]
    [ours, built_in, floor] = [each.collectors[0] for each in services.values()]
    assert "command" in ours
    for container, text in ((built_in, plain.BUILT_IN), (floor, plain.FLOOR)):
        assert "command" not in container
        assert {pair["name"]: pair["value"] for pair in container["environment"]}["AOT_CONFIG_CONTENT"] == text
