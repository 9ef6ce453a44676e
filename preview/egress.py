"""What it costs that tasks get out of their network, for the way that a recorded stack has and for the others."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from documents import network
from documents.prices import HOURS, Prices, shown
from preview import month, wiring
from preview.costs import files
from preview.recording import Recording
from preview.wiring import Running


def lines(recording: Recording, runs: Sequence[Running], prices: Prices | None) -> Iterator[str]:
    """Markdown: a row for each way out. Nothing for a VPC that is not the stack's, and no dollars without prices."""
    if not recording.of_type(wiring.VPC):
        return
    zones, doors, tasks = _zones(runs), _doors(recording), sum(map(month.tasks, runs))
    gateways, closed = len(recording.of_type(wiring.NAT_GATEWAY)), bool(recording.of_type(wiring.ENDPOINT))
    ways = (
        (f"a public address for each task, of which there are {tasks}", not gateways and not closed),
        ("one NAT gateway", gateways == 1),
        (f"a NAT gateway in each of {zones} zones", gateways > 1),
        (f"endpoints of {len(doors)} services in {zones} zones", closed),
    )
    cells = [f"| {what} | {'yes' if chosen else ''} |" for what, chosen in ways]
    listed = f"Endpoints would be, or are: {', '.join(f'`{name}`' for name in doors)}; S3's costs nothing."
    if prices is None:
        yield from ("| way out | chosen |", "|---|---|", *cells, "", listed, files.NO_DOLLARS)
        return
    address = prices["address"].first * HOURS
    one = prices["nat.hour"].first * HOURS + address
    behind = prices["endpoint.hour"].first * HOURS * len(doors) * zones
    by_gateway, by_endpoint = prices["nat.gigabyte"].first, prices["endpoint.gigabyte"].first
    dollars = ((address * tasks, Decimal(0)), (one, by_gateway), (one * zones, by_gateway), (behind, by_endpoint))
    yield "| way out | chosen | dollars a month | and for each GB |"
    yield "|---|---|---:|---:|"
    for row, (fixed, gigabyte) in zip(cells, dollars, strict=True):
        yield f"{row} {shown(fixed)} | {gigabyte.normalize():f} |"
    yield ""
    yield listed
    # Per month, since a GB costs more by NAT.
    if (volume := (behind - one) / (by_gateway - by_endpoint)) > 0:
        yield f"They cost less than one NAT gateway from {volume:,.0f} GB a month."
    yield (
        f"List prices of {prices.region} (docs/costs.md), {HOURS} hours; what leaves for the internet, or passes from "
        "zone to zone on its way to one NAT gateway, is billed besides."
    )


def _zones(runs: Sequence[Running]) -> int:
    configurations = (wiring.table(run.service.inputs.get("networkConfiguration")) for run in runs)
    return max((len(wiring.items(one.get("subnets"))) for one in configurations), default=0)


def _doors(recording: Recording) -> list[str]:
    """The interface endpoints for all that the roles of tasks may do; images come from ECR where nothing else is in
    reach."""
    services = {"ecr"}
    for task in recording.of_type(wiring.TASK):
        for key in ("taskRoleArn", "executionRoleArn"):
            if role := wiring.meant(recording, task.inputs.get(key), wiring.ROLE):
                granted = wiring.permissions(recording, role).statements()
                services |= {network.service_of(one) for one in granted if one.get("Action")}
    # Where the role is another account's, only that account says what it does.
    services |= {network.service_of(one) for one in wiring.granted_elsewhere(recording)}
    return [name for name in network.names(services) if name != network.S3]
