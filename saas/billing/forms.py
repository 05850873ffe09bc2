"""What billing pages ask for."""

from wtforms import HiddenField, RadioField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from saas.billing.subscriptions import SubscriptionMoved
from saas.kit.forms import PageForm

MAX_COMMENT = 500

# Polar's values of ``customer_cancellation_reason``, with our words for them.
REASONS = [
    SelectChoice("", "I would rather not say"),
    SelectChoice("too_expensive", "It is too expensive"),
    SelectChoice("missing_features", "Something I need is missing"),
    SelectChoice("switched_service", "I use something else now"),
    SelectChoice("unused", "I do not use it enough"),
    SelectChoice("customer_service", "I am not happy with the support"),
    SelectChoice("low_quality", "I am not happy with the quality"),
    SelectChoice("too_complex", "It is too complicated"),
    SelectChoice("other", "Another reason"),
]


class DecisionForm(PageForm):
    """Parent of the forms that change a subscription. ``fingerprint`` stands for what the page said."""

    fingerprint = HiddenField()

    def require_unmoved(self, fingerprint: str) -> None:
        """Raise ``SubscriptionMoved`` when the page would not say the same any more."""
        if self.fingerprint.data != fingerprint:
            raise SubscriptionMoved


class ChangeForm(DecisionForm):
    """Nothing but a button. ``subscription_id`` says which one, for people with several."""

    subscription_id = HiddenField(validators=[Optional(), Length(max=36)])


class PlanForm(DecisionForm):
    """Asks how to switch."""

    behavior = RadioField("How", validators=[InputRequired("Choose how to switch.")])


class CancellationForm(ChangeForm):
    """Asks why, without insisting."""

    reason = SelectField("Why are you leaving?", choices=REASONS, validators=[Optional()])
    comment = TextAreaField(
        "Is there anything else?",
        validators=[Optional(), Length(max=MAX_COMMENT, message="Please use 500 letters at most.")],
    )


class PauseForm(ChangeForm):
    """Asks for how long; the choices name the day and the price."""

    months = SelectField("For how long?", default="0")
