"""A stage for the recorded steps: the recorded catalogue, and a comparison with all that was said."""

from collections.abc import Callable
from typing import Any

from polar_emulator import jobs
from polar_emulator.clock import parse, stamp
from polar_emulator.rules import checkouts, periods
from polar_emulator.store import Doc
from tests.polar_emulator import recorded, typed
from tests.polar_emulator.inside import Inside
from tests.polar_emulator.likeness import Likeness
from tests.polar_emulator.receiving import Receiver
from tests.polar_emulator.replay import opening, order

ORGANIZATION = recorded.answer("organizations-get")["answer"]["id"]
SECRET = "polar_c_EXAMPLE"
IN_FRANCE = {"country": "FR"}
# What everybody else gave as their address.
IN_CALIFORNIA = {
    "country": "US",
    "line1": "1 Main St",
    "city": "San Francisco",
    "state": "US-CA",
    "postal_code": "94104",
}
HEADERS = ("content-type", "cache-control", "x-polar-sandbox", "polar-version", "www-authenticate")
HEADERS += ("allow", "retry-after", "pragma")

Story = Callable[["Stage"], None]
STORIES: dict[str, tuple[Story, tuple[str, ...]]] = {}


def covers(*names: str) -> Callable[[Story], Story]:
    """Enter a story, with the recordings that it compares."""

    def enter(story: Story) -> Story:
        STORIES[story.__name__] = (story, names)
        return story

    return enter


class Stage(Inside):
    """A world on a day with 30 more until the same day next month, which sells what was sold then."""

    def __init__(self, receiver: Receiver) -> None:
        super().__init__()
        self.receiver = receiver
        self.like = Likeness()
        self.secret = ""
        self.compared: dict[str, list[str]] = {}
        opening.go_to_november(self.world)
        opening.set_up(self)

    def each(self, *names: str) -> None:
        """Send these requests again, one after the other."""
        for name in names:
            self.send(name)

    def send(self, name: str, path: str | None = None, **headers: str | None) -> Any:
        """Send a recorded request again and compare the answer; returns its JSON."""
        was = recorded.answer(name)
        body, sent = was["body"], {}
        if isinstance(body, str):
            sent = {"data": body, "content_type": "application/json"}
        elif body is not None:
            sent = {"json": self._swapped(body)}
        where = self.like.swap(path or was["path"]).replace(SECRET, self.secret)
        known = {"Authorization": "Bearer polar_oat_local", **was["headers"], **headers}
        kept = {key: value for key, value in known.items() if value}
        answer = self.client.open(where, method=was["method"], headers=kept, **sent)
        if not self.world.faults.api:
            typed.check_inside(was["method"], where, answer)
        ours = answer.get_json(silent=True) if answer.is_json and answer.data else answer.text
        found = self.like.differences(was["answer"], ours)
        if answer.status_code != was["status"]:
            found.insert(0, f"status {was['status']} became {answer.status_code}")
        for header in HEADERS:
            if was["answer_headers"].get(header) != answer.headers.get(header):
                found.append(f"header {header}: {answer.headers.get(header)}")
        self.compared[name] = found
        if isinstance(ours, dict) and "client_secret" in ours:
            self.secret = ours["client_secret"]
        return ours

    def tell(self, name: str) -> None:
        """Compare what has happened since the last look with a recorded scenario."""
        was, ours = recorded.scenario(name), self.payloads()
        found = order.differences(was, ours)
        for event_type in sorted({event["type"] for event in was}):
            old, new = (
                [event for event in events if event["type"] == event_type] for events in (was, ours)
            )
            if event_type.startswith(order.FLOATING):
                old, new = old[-1:], new[-1:]  # The last one says how it came out.
            for before, now in zip(old, new, strict=False):
                found += self.like.differences(before, now, event_type)
        self.compared[name] = found

    def create_customer_as(self, name: str) -> None:
        """Create the customer that a scenario begins with."""
        was = next(e["data"] for e in recorded.scenario(name) if e["type"] == "member.created")
        fields = {key: was[key] for key in ("email", "name", "external_id") if was[key]}
        self.call("POST", "/v1/customers/", fields, 201)
        self.settle()

    def touch_organization(self) -> None:
        """Change the organisation, as somebody did in the middle of the recordings."""
        self.call("PATCH", f"/v1/organizations/{self.world.organization['id']}", {})
        self.skip()

    def forget(self) -> None:
        """Begin with new ids."""
        kept = {was: ours for was, ours in self.like.ours_of.items() if was == ORGANIZATION}
        self.like.ours_of, self.like.theirs_of = kept, {ours: was for was, ours in kept.items()}

    def learn(self, name: str) -> None:
        """Learn from the beginning of a scenario what its ids stand for; it is compared later."""
        seen = self.seen
        for was, ours in zip(recorded.scenario(name), self.payloads(), strict=False):
            self.like.differences(was, ours)
        self.seen = seen

    def skip(self) -> None:
        """Forget what has happened since the last look."""
        self.payloads()

    def settled(self) -> "Stage":
        """Run what is due, to go on with the next step."""
        self.settle()
        return self

    def open_as(self, name: str, place: int = 0) -> Any:
        """Open the checkout that a scenario tells of (the first one)."""
        told = [e["data"] for e in recorded.scenario(name) if e["type"] == "checkout.created"]
        was = told[place]
        wanted = {
            "products": [self.like.swap(product["id"]) for product in was["products"]],
            "success_url": was["success_url"].replace(was["id"], "{CHECKOUT_ID}"),
            "metadata": was["metadata"],
            "external_customer_id": was["external_customer_id"],
            "customer_email": was["customer_email"],
            "customer_name": was["customer_name"],
            "subscription_id": was["subscription_id"] and self.like.swap(was["subscription_id"]),
        }
        if was["success_url"].endswith("/confirmation"):
            del wanted["success_url"]
        given = {key: value for key, value in wanted.items() if value is not None}
        checkout = self.call("POST", "/v1/checkouts/", given, 201)
        self.secret = checkout["client_secret"]
        return checkout

    def confirm(self, token: str = "ctoken_ok", address: Any = None, status: int = 200) -> Any:
        """Pay for the checkout at hand."""
        body = {
            "customer_name": "Jane Doe",
            "customer_billing_address": address or IN_CALIFORNIA,
            "confirmation_token_id": token,
        }
        path = f"/v1/checkouts/client/{self.secret}/confirm"
        return self.call("POST", path, body, status)

    def purchase(self, name: str, token: str = "ctoken_ok") -> None:
        """Buy what somebody bought in a scenario, and compare."""
        self.open_as(name)
        told = [e["data"] for e in recorded.scenario(name) if e["type"] == "checkout.updated"]
        address = told[-1]["customer_billing_address"]
        self.confirm(token, {key: value for key, value in address.items() if value})
        self.tell(name)

    def change_of(self, name: str, body: Doc) -> Any:
        """Change the subscription that was bought in a scenario."""
        path = f"/v1/subscriptions/{self.subscription_of(name)}"
        answer = self.call("PATCH", path, body)
        self.settle()
        return answer

    def subscription_of(self, name: str) -> str:
        """The id of the subscription that was bought in a scenario."""
        told = [e["data"] for e in recorded.scenario(name) if e["type"] == "subscription.created"]
        return self.id_of(told[0]["id"])

    def product(self, name: str) -> str:
        """The id of a product."""
        found = self.world.store.first("product", {"name": name})
        assert found
        return str(found["id"])

    def end_period(self, name: str) -> None:
        """Let the period of what was bought in a scenario be over, as the dates were shifted then."""
        doc = self.world.store.need("subscription", self.subscription_of(name))
        start = parse(doc["current_period_start"])
        earlier = stamp(periods.add(start, "month", -1))
        moved = {"current_period_start": earlier, "current_period_end": stamp(start)}
        if doc["started_at"] == doc["current_period_start"]:
            moved["started_at"] = earlier
        if doc["ends_at"]:
            moved["ends_at"] = stamp(start)
        self.world.store.put("subscription", {**doc, **moved})
        arguments = {"subscription_id": doc["id"], "period_end": stamp(start)}
        jobs.at(self.world, "subscription.period_over", start, **arguments)
        self.settle()

    def id_of(self, key: str) -> str:
        """Our id in place of a recorded one."""
        return self.like.ours_of[key]

    def expire(self, key: str) -> None:
        """Let a checkout be over now, as its dates were shifted then."""
        doc = self.world.store.need("checkout", key)
        self.world.store.put("checkout", {**doc, "expires_at": self.world.stamp()})
        checkouts.expire(self.world, {"checkout_id": key})

    def _swapped(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self._swapped(key): self._swapped(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [self._swapped(entry) for entry in value]
        return self.like.swap(value) if isinstance(value, str) else value

    def make_as(self, event: Doc) -> None:
        """Make the product or benefit that an event tells of."""
        opening.make(self, event["type"], event["data"])
