"""The forms of accounts: what is asked for, and what is wrong with an answer."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, Field, PasswordField, ValidationError
from wtforms.validators import DataRequired

from saas.accounts import addresses, passwords
from saas.accounts.errors import InvalidAddress
from saas.kit.forms import PageForm

EMAIL_MISSING = "Enter your e-mail address."
PASSWORD_MISSING = "Enter your password."  # noqa: S105 - a sentence


def email_address(form: FlaskForm, field: Field) -> None:
    """Refuse what cannot be an e-mail address."""
    try:
        addresses.normalise(field.data)
    except InvalidAddress as error:
        raise ValidationError(error.message) from error


def new_password(form: FlaskForm, field: Field) -> None:
    """Refuse passwords that are too short, too long or too well known."""
    email = form.email.data or "" if "email" in form else form.owner
    if sentence := passwords.problem(field.data, email):
        raise ValidationError(sentence)


class EmailForm(PageForm):
    """Asks for an address to send a link to."""

    email = EmailField("E-mail address", validators=[DataRequired(EMAIL_MISSING), email_address])


class SignupForm(EmailForm):
    """Asks for an address and a password of your own."""

    password = PasswordField(
        "Password", validators=[DataRequired("Choose a password."), new_password]
    )


class LoginForm(PageForm):
    """Asks who you are. Nothing is checked here that would tell one wrong answer from another."""

    email = EmailField("E-mail address", validators=[DataRequired(EMAIL_MISSING)])
    password = PasswordField("Password", validators=[DataRequired(PASSWORD_MISSING)])
    remember = BooleanField("Remember me")


class NewPasswordForm(PageForm):
    """Asks for a new password. ``owner`` is the address of the account, which is no password."""

    password = PasswordField(
        "New password", validators=[DataRequired("Choose a new password."), new_password]
    )

    def __init__(self, owner: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.owner = owner


class ChangePasswordForm(NewPasswordForm):
    """Asks for the current password, too, so that an unlocked screen is not enough."""

    current_password = PasswordField(
        "Current password", validators=[DataRequired("Enter your current password.")]
    )


class AddressForm(EmailForm):
    """Asks for a new address, and for the password, so that an unlocked screen is not enough."""

    password = PasswordField("Password", validators=[DataRequired(PASSWORD_MISSING)])


class DeletionForm(PageForm):
    """Asks for the password before everything is gone."""

    password = PasswordField("Password", validators=[DataRequired(PASSWORD_MISSING)])


class ConfirmForm(PageForm):
    """A button, and in another browser than the one that signed up the password, too."""

    password = PasswordField("Password")
