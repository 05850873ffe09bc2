"""The forms of the staff pages."""

from datetime import date, timedelta

from flask_wtf import FlaskForm
from wtforms import DateField, Field, PasswordField, SelectField, StringField, ValidationError
from wtforms.validators import DataRequired, Length

from saas.billing import comps
from saas.kit.datetimes import utcnow
from saas.kit.forms import PageForm

REASON = [DataRequired("Say why; it stays in the audit log."), Length(max=500)]


class PasswordForm(PageForm):
    """Asks for the password of who is signed in."""

    password = PasswordField("Password", validators=[DataRequired("Enter your password.")])


class ReasonForm(PageForm):
    """Asks why."""

    reason = StringField("Reason", validators=REASON)


def _in_time(form: FlaskForm, field: Field) -> None:
    last_day: date = field.data
    today = utcnow().date()
    if last_day < today:
        raise ValidationError("This day is over already.")
    if last_day - today > comps.LONGEST:
        raise ValidationError("Choose a day within five years.")


class CompForm(ReasonForm):
    """Asks which plan to give, and until when."""

    product_id = SelectField("Plan", validators=[DataRequired("Choose a plan.")])
    last_day = DateField("Until the end of", validators=[DataRequired("Choose a day."), _in_time])

    def offer(self) -> None:
        """Fill in the plans that can be given, and a month as the usual time."""
        self.product_id.choices = [(each.polar_id, each.name) for each in comps.products()]
        if not self.is_submitted():
            self.last_day.data = utcnow().date() + timedelta(days=30)
