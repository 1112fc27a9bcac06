"""AWS's public price list and the calls beside it, as a server of one's own on loopback.

Offer files have the full width and the wording of the real ones (AmazonEC2 of September 2025,
AWSComputeSavingsPlan of September 2025). Over the JSON protocol it answers GetProducts, over the
query protocol DescribeSpotPriceHistory and GetCallerIdentity; all of them in pages.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

EC2_COLUMNS = (
    "SKU", "OfferTermCode", "RateCode", "TermType", "PriceDescription", "EffectiveDate",
    "StartingRange", "EndingRange", "Unit", "PricePerUnit", "Currency", "RelatedTo",
    "LeaseContractLength", "PurchaseOption", "OfferingClass", "Product Family", "serviceCode",
    "Location", "Location Type", "Instance Type", "Current Generation", "Instance Family", "vCPU",
    "Physical Processor", "Clock Speed", "Memory", "Storage", "Network Performance",
    "Processor Architecture", "Storage Media", "Volume Type", "Max Volume Size",
    "Max IOPS/volume", "Max IOPS Burst Performance", "Max throughput/volume", "Provisioned",
    "Tenancy", "EBS Optimized", "Operating System", "License Model", "Group", "Group Description",
    "Transfer Type", "From Location", "From Location Type", "To Location", "To Location Type",
    "usageType", "operation", "AvailabilityZone", "CapacityStatus", "ClassicNetworkingSupport",
    "Dedicated EBS Throughput", "ECU", "Elastic Graphics Type", "Enhanced Networking Supported",
    "From Region Code", "GPU", "GPU Memory", "Instance", "Instance Capacity - 10xlarge",
    "Instance Capacity - 12xlarge", "Instance Capacity - 16xlarge", "Instance Capacity - 18xlarge",
    "Instance Capacity - 24xlarge", "Instance Capacity - 2xlarge", "Instance Capacity - 32xlarge",
    "Instance Capacity - 4xlarge", "Instance Capacity - 8xlarge", "Instance Capacity - 9xlarge",
    "Instance Capacity - large", "Instance Capacity - medium", "Instance Capacity - metal",
    "Instance Capacity - xlarge", "instanceSKU", "Intel AVX2 Available", "Intel AVX Available",
    "Intel Turbo Available", "MarketOption", "Normalization Size Factor", "Physical Cores",
    "Pre Installed S/W", "Processor Features", "Product Type", "Region Code", "Resource Type",
    "serviceName", "SnapshotArchiveFeeType", "To Region Code", "Volume API Name",
    "VPCNetworkingSupport",
)  # fmt: skip
SP_COLUMNS = (
    "SKU", "RateCode", "Unit", "EffectiveDate", "DiscountedRate", "Currency", "DiscountedSKU",
    "DiscountedServiceCode", "DiscountedUsageType", "DiscountedOperation", "PurchaseOption",
    "LeaseContractLength", "LeaseContractLengthUnit", "ServiceCode", "UsageType", "Operation",
    "Description", "Instance Family", "Location", "Location Type", "Granularity",
    "Product Family", "DiscountedRegionCode", "DiscountedInstanceType",
)  # fmt: skip
_OPERATIONS = {
    "Linux": "RunInstances",
    "Windows": "RunInstances:0002",
    "RHEL": "RunInstances:0010",
    "SUSE": "RunInstances:000g",
}
Row = dict[str, str]


def on_demand(
    instance_type: str, price: str, system: str = "Linux", region: str = "eu-west-1", **other: str
) -> Row:
    """One on-demand row; `other` overrides columns (spaces and slashes as in `EC2_COLUMNS`)."""
    sku = f"{system}{instance_type}".upper().replace(".", "")
    return {
        "SKU": sku,
        "OfferTermCode": "JRTCKXETXF",
        "RateCode": f"{sku}.JRTCKXETXF.6YS6EN2CT7",
        "TermType": "OnDemand",
        "PriceDescription": f"${price} per On Demand {system} {instance_type} Instance Hour",
        "EffectiveDate": "2026-09-01",
        "StartingRange": "0",
        "EndingRange": "Inf",
        "Unit": "Hrs",
        "PricePerUnit": price,
        "Currency": "USD",
        "Product Family": "Compute Instance",
        "serviceCode": "AmazonEC2",
        "Location": "EU (Ireland)",
        "Location Type": "AWS Region",
        "Instance Type": instance_type,
        "Current Generation": "Yes",
        "Instance Family": "General purpose",
        "vCPU": "2",
        "Physical Processor": "Intel Xeon Platinum 8175",
        "Clock Speed": "3.1 GHz",
        "Memory": "8 GiB",
        "Storage": "EBS only",
        "Network Performance": "Up to 10 Gigabit",
        "Processor Architecture": "64-bit",
        "Tenancy": "Shared",
        "Operating System": system,
        "License Model": "No License required",
        "usageType": f"EU-BoxUsage:{instance_type}",
        "operation": _OPERATIONS[system],
        "AvailabilityZone": "NA",
        "CapacityStatus": "Used",
        "Dedicated EBS Throughput": "Up to 2250 Mbps",
        "Enhanced Networking Supported": "Yes",
        "GPU Memory": "NA",
        "Intel AVX2 Available": "Yes",
        "Intel AVX Available": "Yes",
        "Intel Turbo Available": "Yes",
        "MarketOption": "OnDemand",
        "Normalization Size Factor": "4",
        "Pre Installed S/W": "NA",
        "Processor Features": "Intel AVX; Intel AVX2; Intel AVX512; Intel Turbo",
        "Region Code": region,
        "serviceName": "Amazon Elastic Compute Cloud",
        "VPCNetworkingSupport": "true",
    } | other


def reserved(
    instance_type: str,
    *,
    hourly: str | None,
    upfront: str | None = None,
    length: str = "1yr",
    payment: str = "No Upfront",
    kind: str = "standard",
    **other: str,
) -> list[Row]:
    """A reserved term: a row for the hours, and one for the fee where there is one."""
    code = f"{length}{payment[0]}{kind[0]}".upper()
    shared = {
        "OfferTermCode": code,
        "TermType": "Reserved",
        "EffectiveDate": "2026-09-12",
        "LeaseContractLength": length,
        "PurchaseOption": payment,
        "OfferingClass": kind,
    }
    rows = []
    if hourly is not None:
        rows.append(on_demand(instance_type, hourly, **shared, **other))
    if upfront is not None:
        fee = {"Unit": "Quantity", "PriceDescription": "Upfront Fee", "StartingRange": ""}
        rows.append(on_demand(instance_type, upfront, **shared, **other) | fee)
    return rows


def savings_rate(instance_type: str, rate: str, region: str = "eu-west-1", **other: str) -> Row:
    """A Savings Plans rate; `other` overrides columns."""
    return {
        "SKU": "HG9V2UBQC2P9GB3T",
        "RateCode": "HG9V2UBQC2P9GB3T.2E92YMZ2XD6UMPWS",
        "Unit": "Hrs",
        "EffectiveDate": "2026-07-01T07:36:03Z",
        "DiscountedRate": rate,
        "Currency": "USD",
        "DiscountedSKU": "2E92YMZ2XD6UMPWS",
        "DiscountedServiceCode": "AmazonEC2",
        "DiscountedUsageType": f"EU-BoxUsage:{instance_type}",
        "DiscountedOperation": "RunInstances",
        "PurchaseOption": "No Upfront",
        "LeaseContractLength": "1",
        "LeaseContractLengthUnit": "year",
        "ServiceCode": "ComputeSavingsPlans",
        "UsageType": "ComputeSP:1yrNoUpfront",
        "Description": "1 year No Upfront Compute Savings Plan",
        "Location": "Any",
        "Location Type": "AWS Region",
        "Granularity": "hourly",
        "Product Family": "ComputeSavingsPlans",
        "DiscountedRegionCode": region,
        "DiscountedInstanceType": instance_type,
    } | other


def offer_file(rows: Iterable[Row], columns: Sequence[str] = EC2_COLUMNS) -> Iterator[bytes]:
    """An offer file, row by row: five rows of metadata, the header, the rows."""
    yield (
        b'"FormatVersion","v1.0"\n'
        b'"Disclaimer","This pricing list is for informational purposes only."\n'
        b'"Publication Date","2026-09-25T18:44:47Z"\n'
        b'"Version","20260925184447"\n'
        b'"OfferCode","AmazonEC2"\n'
    )
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for row in ([*columns], *([row.get(name, "") for name in columns] for row in rows)):
        writer.writerow(row)
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()


@dataclass
class Served:
    """One file, and what goes wrong with it."""

    data: bytes
    etag: str = '"one"'
    status: int = 200
    cut_at: int | None = None  # bytes after which the connection is closed
    length_told: bool = True
    location: str = ""  # where a redirect leads
    wait: threading.Event | None = None  # held back from the middle on until it is set
    begun: threading.Event = field(default_factory=threading.Event)  # the middle is reached


class PriceListServer:
    """A server of the price list; use as a context. `seen` has every request made of it."""

    def __init__(self) -> None:
        self.files: dict[str, Served] = {}
        self.products: list[dict[str, Any]] = []
        self.spot: list[tuple[str, str, str, str, datetime]] = []
        self.page = 2  # entries of a page
        self.seen: list[str] = []
        self.denied: set[str] = set()  # operations that are refused
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                server._get(self)

            def do_POST(self) -> None:
                server._post(self)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def offer(self, rows: Iterable[Row], region: str = "eu-west-1", etag: str = '"one"') -> Served:
        """Publish a region's EC2 file; the index names it."""
        partition = "cn" if region.startswith("cn-") else "aws"
        base = f"/offers/v1.0/{partition}/AmazonEC2"
        path = f"{base}/20260925184447/{region}/index"
        index = self._index(f"{base}/current/region_index.json", {"regions": {}})
        index["regions"][region] = {"regionCode": region, "currentVersionUrl": f"{path}.json"}
        self._reindex(f"{base}/current/region_index.json", index)
        self.files[f"{path}.csv"] = Served(b"".join(offer_file(rows)), etag)
        return self.files[f"{path}.csv"]

    def savings(self, rows: Iterable[Row], region: str = "eu-west-1") -> Served:
        """Publish a region's Savings Plans file; the index names it."""
        base = "/savingsPlan/v1.0/aws/AWSComputeSavingsPlan"
        path = f"{base}/20260925184447/{region}/index"
        index = self._index(f"{base}/current/region_index.json", {"regions": []})
        index["regions"].append({"regionCode": region, "versionUrl": f"{path}.json"})
        self._reindex(f"{base}/current/region_index.json", index)
        self.files[f"{path}.csv"] = Served(b"".join(offer_file(rows, SP_COLUMNS)))
        return self.files[f"{path}.csv"]

    def _index(self, path: str, fresh: dict[str, Any]) -> Any:
        return json.loads(self.files[path].data) if path in self.files else fresh

    def _reindex(self, path: str, index: Any) -> None:
        self.files[path] = Served(json.dumps(index).encode())

    def _get(self, request: BaseHTTPRequestHandler) -> None:
        self.seen.append(f"GET {request.path}")
        file = self.files.get(request.path, Served(b"no such file", status=403))
        same = request.headers.get("If-None-Match") == file.etag
        request.send_response(304 if same else file.status)
        request.send_header("ETag", file.etag)
        if file.location:
            request.send_header("Location", file.location)
        if file.length_told and not same:
            request.send_header("Content-Length", str(len(file.data)))
        request.end_headers()
        if not same:
            with contextlib.suppress(ConnectionError):  # the client has seen enough
                _send(request, file)

    def _post(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"])).decode()
        target = request.headers.get("X-Amz-Target", "")
        if target:
            name, kind = target.rpartition(".")[2], "application/x-amz-json-1.1"
            asked: Mapping[str, Any] = json.loads(body)
        else:
            asked = {key: values[0] for key, values in parse_qs(body).items()}
            name, kind = asked["Action"], "text/xml"
        self.seen.append(name)
        status = 400 if name in self.denied else 200
        answer = _refusal(kind) if status == 400 else getattr(self, f"_{name}")(asked)
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)

    def _paged(self, found: list[Any], token: Any) -> tuple[list[Any], str]:
        """The page that the token is of, and the next one's."""
        start = int(token or 0)
        end = start + self.page
        return found[start:end], str(end) if end < len(found) else ""

    def _GetProducts(self, asked: Mapping[str, Any]) -> bytes:
        filters = {one["Field"]: one["Value"] for one in asked["Filters"]}
        found = [
            json.dumps(offer)
            for offer in self.products
            if offer["product"]["attributes"]["instanceType"] == filters["instanceType"]
        ]
        page, token = self._paged(found, asked.get("NextToken"))
        answer = {"FormatVersion": "aws_v1", "PriceList": page}
        return json.dumps(answer | ({"NextToken": token} if token else {})).encode()

    def _DescribeSpotPriceHistory(self, asked: Mapping[str, Any]) -> bytes:
        types = {value for key, value in asked.items() if key.startswith("InstanceType.")}
        systems = {value for key, value in asked.items() if key.startswith("ProductDescription.")}
        found = [
            one for one in self.spot if (not types or one[0] in types) and one[1] in systems
        ]  # fmt: skip
        page, token = self._paged(found, asked.get("NextToken"))
        items = "".join(
            f"<item><instanceType>{escape(name)}</instanceType>"
            f"<productDescription>{system}</productDescription>"
            f"<spotPrice>{price}</spotPrice>"
            f"<timestamp>{moment.isoformat().replace('+00:00', 'Z')}</timestamp>"
            f"<availabilityZone>{zone}</availabilityZone></item>"
            for name, system, zone, price, moment in page
        )
        return (
            "<DescribeSpotPriceHistoryResponse"
            ' xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>'
            f"<spotPriceHistorySet>{items}</spotPriceHistorySet><nextToken>{token}</nextToken>"
            "</DescribeSpotPriceHistoryResponse>"
        ).encode()

    def _GetCallerIdentity(self, _: Mapping[str, Any]) -> bytes:
        return (
            b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            b"<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/u</Arn>"
            b"<UserId>u</UserId><Account>123456789012</Account></GetCallerIdentityResult>"
            b"</GetCallerIdentityResponse>"
        )


def _send(request: BaseHTTPRequestHandler, file: Served) -> None:
    half = len(file.data) // 2
    request.wfile.write(file.data[: file.cut_at if file.wait is None else half])
    if file.wait is not None:
        file.begun.set()
        file.wait.wait(60)
        request.wfile.write(file.data[half:])


def product(
    instance_type: str,
    price: str,
    *,
    region: str = "eu-west-1",
    currency: str = "USD",
    effective: str = "2026-09-01T00:00:00Z",
    **other: str,
) -> dict[str, Any]:
    """What GetProducts says of one product; `other` overrides attributes."""
    attributes = {
        "instanceType": instance_type,
        "regionCode": region,
        "operation": "RunInstances",
        "operatingSystem": "Linux",
        "tenancy": "Shared",
        "capacitystatus": "Used",
        "preInstalledSw": "NA",
        "usagetype": f"EU-BoxUsage:{instance_type}",
    }
    rate = {"unit": "Hrs", "pricePerUnit": {currency: price}}
    sku = f"SKU{instance_type}".upper()
    terms = {"JRTCKXETXF": {"effectiveDate": effective, "priceDimensions": {"rate": rate}}}
    return {
        "product": {
            "productFamily": "Compute Instance",
            "sku": sku,
            "attributes": attributes | other,
        },
        "serviceCode": "AmazonEC2",
        "terms": {"OnDemand": terms},
    }


def _refusal(kind: str) -> bytes:
    if kind == "text/xml":
        return (
            b"<Response><Errors><Error><Code>UnauthorizedOperation</Code>"
            b"<Message>You are not authorized.</Message></Error></Errors></Response>"
        )
    return b'{"__type":"AccessDeniedException","message":"You are not authorized."}'
