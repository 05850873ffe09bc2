"""How a stage begins: the recorded organisation, and what it sold."""

from typing import TYPE_CHECKING

from polar_emulator.store import Doc
from polar_emulator.world import World
from tests.polar_emulator import recorded

if TYPE_CHECKING:
    from tests.polar_emulator.replay.stage import Stage

SETUP = "00-setup-products-benefits"


def go_to_november(world: World) -> None:
    """Go to a day with 30 more until the same day next month."""
    now = world.now()
    day = now.replace(month=11, day=20, hour=12)
    world.move_to(day if day > now else day.replace(year=day.year + 1))


def set_up(stage: "Stage") -> None:
    """The recorded organisation with its products, instead of the demo's."""
    was = recorded.answer("organizations-get")["answer"]
    names = (
        "name",
        "slug",
        "email",
        "website",
        "socials",
        "details_submitted_at",
        "customer_portal_settings",
    )
    organization = stage.world.organization
    stage.world.store.put("organization", {**organization, **{n: was[n] for n in names}})
    stage.like.ours_of[was["id"]] = organization["id"]
    stage.like.theirs_of[organization["id"]] = was["id"]
    for kind in ("product", "benefit"):
        for doc in stage.world.store.find(kind):
            stage.world.store.remove(kind, doc["id"])
    stage.skip()
    for event in recorded.scenario(SETUP):
        make(stage, event["type"], event["data"])
    stage.tell(SETUP)


def make(stage: "Stage", event_type: str, data: Doc) -> None:
    """Make the product or benefit, or attach the benefits, that an event tells of."""
    if event_type == "benefit.created":
        given = {name: data[name] for name in ("type", "description", "metadata")}
        made = stage.call("POST", "/v1/benefits/", {**given, "properties": {}}, 201)
    elif event_type == "product.created":
        made = stage.call("POST", "/v1/products/", _product(data), 201)
    else:
        path = f"/v1/products/{stage.id_of(data['id'])}/benefits"
        benefits = [stage.id_of(benefit["id"]) for benefit in data["benefits"]]
        made = stage.call("POST", path, {"benefits": benefits})
    stage.like.ours_of[data["id"]], stage.like.theirs_of[made["id"]] = made["id"], data["id"]


def _product(data: Doc) -> Doc:
    names = ("name", "description", "recurring_interval", "trial_interval", "metadata")
    price = data["prices"][0]
    return {
        **{name: data[name] for name in (*names, "trial_interval_count")},
        "prices": [
            {name: price[name] for name in ("amount_type", "price_amount", "price_currency")}
        ],
    }
