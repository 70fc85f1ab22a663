"""The cost page: what it says follows from what was counted, from the template and from the table of prices."""

import json
import re

from benchmarks import cost_page, prices
from local.package import package
from tests.local.test_template import ROOT

RESULTS = json.loads(cost_page.RESULTS.read_text())


def test_the_page_is_what_the_command_writes() -> None:
    assert cost_page.PAGE.read_text() == cost_page.page(RESULTS)


def test_what_is_counted_elsewhere_changes_the_page() -> None:
    dearer = {name: {**each, "value": each["value"] * 2} for name, each in RESULTS.items()}

    assert cost_page.page(dearer) != cost_page.page(RESULTS)


def test_the_price_of_a_create_follows_from_its_figures() -> None:
    name = "cost.create_3.golden"
    value = {key.removeprefix(f"{name}."): each["value"] for key, each in RESULTS.items() if key.startswith(f"{name}.")}

    usd = (
        value["state_transitions"] * 25e-6
        + value["lambda_gb_seconds"] * 0.0000166667
        + value["lambda_invocations"] * 0.2e-6
        + value["dynamodb_read_units"] * 0.125e-6
        + value["dynamodb_write_units"] * 0.625e-6
        + value["kms_calls"] * 0.03e-4
        + value["events"] * 1e-6
        + value["log_bytes"] * 0.5e-9
        + 5e-6
        + 3.5e-6
    )
    assert abs(usd - RESULTS[name]["value"]) < 1e-12


def test_prices_say_what_they_compute_with() -> None:
    per = {"million": 1e6, "1,000": 1e3, "10,000": 1e4}
    for price in prices.ALL:
        said = re.match(r"([\d.]+) USD per (million|10,000|1,000)?", price.shown)
        assert said, price
        assert abs(float(said[1]) / per.get(said[2], 1) - price.usd) < 1e-15, price
        assert price.shown in cost_page.PAGE.read_text()


def test_functions_are_of_the_architecture_that_is_paid_for() -> None:
    resources: dict[str, object] = package(ROOT).template["Resources"]  # type: ignore[assignment]
    built = json.dumps(resources)

    assert set(re.findall(r'"Architectures": \[("\w+")\]', built)) == {'"x86_64"'}
    assert "(x86)" in prices.GB_SECOND.shown
