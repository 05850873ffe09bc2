"""Who can sign in."""

import secrets
import uuid
from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from saas.kit.datetimes import UTCDateTime, utcnow
from saas.kit.models import Base


def new_public_id() -> str:
    """Return a fresh random UUID as text."""
    return str(uuid.uuid4())


def new_auth_key() -> str:
    """Return the random part of the session id; a new one ends every session of the user."""
    return secrets.token_urlsafe(24)


class User(UserMixin, Base):  # type: ignore[misc]
    """A person with an account. ``public_id`` is what the outside, Polar included, knows them by."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(36), unique=True, default=new_public_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    auth_key: Mapped[str] = mapped_column(String(64), unique=True, default=new_auth_key)
    email_confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)

    @property
    def has_confirmed_email(self) -> bool:
        """True once the person has shown that mail to this address reaches them."""
        return self.email_confirmed_at is not None

    def get_id(self) -> str:
        """Return what the session remembers: the key, so that changing it ends other sessions."""
        return self.auth_key
