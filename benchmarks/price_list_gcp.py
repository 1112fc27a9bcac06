"""What a collect's reading of Google's price list costs, beside only decoding its JSON.

    python -m benchmarks.price_list_gcp [--regions 43] [--used 3] [--rounds 5]

Some 33,000 SKUs as the catalogue writes them, of which two in three are of machines, answered from
memory by a process of its own. Processor time of this process; rounds read and decode in turn, and
the ratio is of medians.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

from costopt.providers.gcp.access import Access
from costopt.providers.gcp.prices.rates import read
from costopt.providers.gcp.settings import GcpSettings
from tests.fakes.gcp_catalogue import Sku, sku
from tests.fakes.gcp_rest import Answer, Call, Rest, serve

OVERRIDE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDBILLING"
PAGE = 5000
OF_A_REGION = 767  # SKUs: 43 regions of them make the list's 33,000
SERIES = (
    "N1 Predefined",
    "N2",
    "N2D AMD",
    "E2",
    "C2D AMD",
    "C3",
    "C3D",
    "C4",
    "N4",
    "T2D AMD",
    "Z3",
)
FORMS = (
    "{series} Instance {part} running in {place}",
    "Spot Preemptible {series} Instance {part} running in {place}",
    "Commitment v1: {series} {part} in {place} for 1 Year",
    "Commitment v1: {series} {part} in {place} for 3 Years",
    "{series} Custom Instance {part} running in {place}",
    "Spot Preemptible {series} Custom Instance {part} running in {place}",
    "{series} Sole Tenancy Instance {part} running in {place}",
    "DWS Defined Duration {series} Instance {part} running in {place}",
)


def listed(regions: int) -> Iterator[Sku]:
    """The list, region by region."""
    for region in (f"region-{n}" for n in range(regions)):
        of_machines = [
            form.format(series=series, part=part, place=region)
            for form in FORMS
            for series in SERIES
            for part in ("Core", "Ram")
        ]
        for number, description in enumerate(of_machines):
            yield sku(f"{region}-{number}", description, "0.0123", region)
        for number in range(len(of_machines), OF_A_REGION):
            made = sku(f"{region}-{number}", f"Data transfer {number} from {region}", "0.1", region)
            made["category"] |= {"resourceFamily": "Network", "resourceGroup": "Interzone"}
            yield made


def pages(regions: int) -> list[bytes]:
    """The list as it is answered; each page names the next by its number."""
    skus = [*listed(regions)]
    starts = range(0, len(skus), PAGE)
    return [
        json.dumps(
            {
                "skus": skus[start : start + PAGE],
                "nextPageToken": str(n + 1) if start + PAGE < len(skus) else "",
            }
        ).encode()
        for n, start in enumerate(starts)
    ]


def answer(pipe: Connection, regions: int) -> None:
    """The server, until the other end says stop."""
    told = pages(regions)

    def page(call: Call) -> Answer:
        return Answer(200, told[int(call.query.get("pageToken", 0))])

    rest = Rest()
    rest.route("cloudbilling.skus.list", "GET", "/v1/services/{service}/skus", page)
    with serve(rest):
        pipe.send(rest.url)
        pipe.recv()


def measure(regions: int, used: int, rounds: int) -> None:
    """Read and decode in turn, and print."""
    told = pages(regions)
    wanted = {f"region-{n}" for n in range(used)}
    times: list[tuple[float, float]] = []
    for _ in range(rounds):
        access = Access(GcpSettings())
        start = time.process_time()
        read(access, regions=wanted)
        between = time.process_time()
        for body in told:
            json.loads(body)
        times.append((between - start, time.process_time() - between))
        access.close()
    whole, only = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{sum(map(len, told)) / 1e6:.0f} MB: read {whole:.2f} s, its JSON decoded {only:.2f} s")
    print(f"ratio price_list_vs_decoding: {only / whole:.2f}")


def main() -> None:
    """Parse, serve, measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--regions", type=int, default=43)
    parser.add_argument("--used", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    stub = context.Process(target=answer, args=(there, given.regions))
    stub.start()
    try:
        os.environ[OVERRIDE] = here.recv()
        measure(given.regions, given.used, given.rounds)
    finally:
        here.send("stop")
        stub.join()


if __name__ == "__main__":
    main()
