"""Who can sign in."""

import secrets
import uuid
from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from saas.kit.datetimes import UTCDateTime, utcnow
from saas.kit.models import Base


def new_public_id() -> str:
    """Return a fresh random UUID as text."""
    return str(uuid.uuid4())


def new_auth_key() -> str:
    """Return a random key; a new one ends every sign-in of the user."""
    return secrets.token_urlsafe(24)


def new_nonce() -> str:
    """Return the random part of a link that works once."""
    return secrets.token_urlsafe(16)


class User(UserMixin, Base):  # type: ignore[misc]
    """A person with an account. ``public_id`` is what the outside, Polar included, knows them by.

    The two nonces name the newest link that was mailed for each purpose. ``None`` means that no
    link works: none was asked for, or the last one was used. ``confirmation_browser`` is the digest
    of the secret of the browser that chose the password, while the address is unconfirmed.
    """

    __tablename__ = "users"
    # On PostgreSQL with the collation C, in which a range is a prefix; see migration 0053.
    __table_args__ = (Index("ix_users_email_prefix", "email"), Base.NUMBERS_ONCE)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(36), unique=True, default=new_public_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    auth_key: Mapped[str] = mapped_column(String(64), unique=True, default=new_auth_key)
    email_confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    confirmation_nonce: Mapped[str | None] = mapped_column(String(32), unique=True)
    confirmation_browser: Mapped[str | None] = mapped_column(String(64))
    reset_nonce: Mapped[str | None] = mapped_column(String(32), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    staff_since: Mapped[datetime | None] = mapped_column(UTCDateTime)

    session_token = ""  # Of this browser, known for as long as the request that signs in.

    @property
    def is_staff(self) -> bool:
        """True for people who work here and may open the staff pages."""
        return self.staff_since is not None

    @property
    def has_confirmed_email(self) -> bool:
        """True once the person has shown that mail to this address reaches them."""
        return self.email_confirmed_at is not None

    def get_id(self) -> str:
        """Return what the browser remembers: the secret of its own sign-in, not of the user."""
        return self.session_token

    def confirm_email(self) -> None:
        """Note that mail to the address reaches its owner; links that would show it again die."""
        self.email_confirmed_at = self.email_confirmed_at or utcnow()
        self.confirmation_nonce = self.confirmation_browser = None

    def set_password_hash(self, password_hash: str) -> None:
        """Replace the password, which ends every session and every reset link."""
        self.password_hash = password_hash
        self.auth_key = new_auth_key()
        self.reset_nonce = None


class SignIn(Base):
    """A browser in which somebody is signed in. It counts while ``auth_key`` is still the user's.

    ``token_digest`` is the SHA-256 of the secret in the browser's cookie.
    """

    __tablename__ = "sign_ins"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    auth_key: Mapped[str] = mapped_column(String(64))
    browser: Mapped[str] = mapped_column(String(60))
    is_remembered: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
