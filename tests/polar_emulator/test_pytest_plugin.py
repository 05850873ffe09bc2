"""The pytest plugin: its fixtures, and the examples of the README as they stand there."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from polar.v2026_10 import Polar
from standardwebhooks import Webhook

from polar_emulator.pytest_plugin import SignedDelivery
from polar_emulator.testing import LocalPolar
from tests.polar_emulator.buyers import Buyers
from tests.polar_emulator.conftest import SECRET

ROOT = Path(__file__).resolve().parent.parent.parent
README = ROOT / "polar_emulator" / "README.md"


def test_examples_of_the_readme(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    examples = [text for text in blocks if "def test_" in text]
    assert len(examples) == 3
    for number, text in enumerate(examples):
        (tmp_path / f"test_example_{number}.py").write_text(text, "utf-8")
    options = ["-q", "-p", "polar_emulator.pytest_plugin", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "3 passed" in done.stdout, done.stdout


def test_signs_what_happened(
    buyers: Buyers, signed_delivery: Callable[..., SignedDelivery]
) -> None:
    buyers.buy()
    delivery = signed_delivery("order.paid")
    event = Webhook(SECRET.encode()).verify(delivery.body, delivery.headers)
    assert event == delivery.event
    assert event["data"]["total_amount"] == 2000


def test_signs_as_newer_secrets_do(signed_delivery: Callable[..., SignedDelivery]) -> None:
    secret = "whsec_bmV3ZXIgc2VjcmV0IG9mIDI0IGJ5"
    delivery = signed_delivery("order.paid", {"id": "x"}, secret=secret, standard=True)
    assert Webhook(secret).verify(delivery.body, delivery.headers)["data"] == {"id": "x"}


def test_advances_and_delivers(
    buyers: Buyers, sdk: Polar, polar: LocalPolar, advance: Callable[..., None]
) -> None:
    buyers.buy()
    advance(months=1)
    assert len(sdk.orders.list().items) == 2


def test_scenarios_in_one_line(buyers: Buyers, polar: LocalPolar) -> None:
    buyers.buy()
    polar.scenario("revoke", "user_1")
    assert buyers.subscription().status == "canceled"
