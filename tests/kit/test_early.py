"""Who is read before there is a session is in it from its first moment, as if it had read them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import ForeignKey, bindparam, event, func, insert, literal_column, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    column_property,
    configure_mappers,
    mapped_column,
    object_session,
    relationship,
    with_loader_criteria,
)

from saas.accounts.models import SignIn, User
from saas.extensions import db
from saas.kit.early import EarlySelect
from tests.people import make_user

ADA = {"email": "ada@example.com"}


def by_email(model: type[Any] = User) -> EarlySelect:
    return EarlySelect(
        model,
        lambda: select(model, func.length(model.email)).where(model.email == bindparam("email")),
    )


READ = by_email()


@pytest.fixture
def ada(db_session: Any) -> Any:
    """A user who was read without a session."""
    make_user("ada")
    db_session.remove()
    found = READ.first(db, ADA)
    assert found is not None
    assert not db.session.registry.has()
    return found[0]


def email_now() -> str:
    """The address in the database, read by nobody's session."""
    with db.engine.connect() as connection:
        return str(connection.scalar(select(User.email)))


def test_it_is_what_sqlalchemy_reads(ada: User) -> None:
    early = {name: value for name, value in vars(ada).items() if name[0] != "_"}
    found = db.session.scalars(select(User).execution_options(populate_existing=True)).one()
    assert early == {name: value for name, value in vars(found).items() if name[0] != "_"}
    assert set(early) == set(User.__table__.columns.keys())


def test_the_other_columns_come_with_it(ada: User) -> None:
    db.session.remove()
    found = READ.first(db, ADA)
    assert found is not None
    assert list(found[1:]) == [len(ADA["email"])]
    assert READ.first(db, {"email": "nobody@example.com"}) is None


def test_a_session_that_there_is_reads_itself(ada: User) -> None:
    mine = db.session.scalars(select(User)).one()
    found = READ.first(db, ADA)
    assert found is not None
    assert found[0] is mine


def test_who_is_read_twice_is_one(ada: User) -> None:
    again = READ.first(db, ADA)
    assert again is not None
    assert again[0] is ada
    assert list(db.session) == [ada]


def test_what_was_changed_before_is_written(ada: User) -> None:
    ada.email = "grace@example.com"
    db.session.commit()
    assert email_now() == ada.email == "grace@example.com"


def test_what_is_changed_afterwards_is_written(ada: User) -> None:
    db.session.scalar(select(func.count(SignIn.id)))
    ada.email = "grace@example.com"
    db.session.commit()
    assert email_now() == "grace@example.com"


def test_taking_back(ada: User) -> None:
    ada.email = "grace@example.com"
    db.session.rollback()
    assert ada.email == email_now() == "ada@example.com"


@pytest.mark.parametrize(
    "ask",
    [
        lambda ada: db.session.get(User, ada.id),
        lambda _: db.session.scalars(select(User)).one(),
        lambda ada: db.session.merge(ada),
        lambda _: next(iter(db.session)),
    ],
)
def test_the_same_row_is_the_same_object(ada: User, ask: Callable[[User], Any]) -> None:
    assert ask(ada) is ada
    assert object_session(ada) is db.session()


def test_what_was_changed_meanwhile_elsewhere_is_seen_after_a_commit(ada: User) -> None:
    with db.engine.begin() as connection:
        connection.execute(User.__table__.update().values(email="grace@example.com"))  # type: ignore[attr-defined]
    assert ada.email == "ada@example.com"
    db.session.commit()
    assert ada.email == "grace@example.com"


def test_refreshing_and_deleting(ada: User) -> None:
    db.session.refresh(ada)
    db.session.delete(ada)
    db.session.commit()
    assert db.session.scalar(select(func.count(User.id))) == 0


def test_it_is_nobody_elses(ada: User, app: Flask) -> None:
    """Another context of the application has a session of its own, without her."""
    with app.app_context():
        assert list(db.session) == []
    assert list(db.session) == [ada]


def test_in_a_request(make_app: Callable[..., Flask], clean: None) -> None:
    """A view that changes who is signed in need not know any of this."""
    from flask_login import current_user

    from saas.accounts.sessions import login_required
    from tests.browsing import sign_in

    app = make_app()

    @app.get("/renamed")
    @login_required
    def renamed() -> str:
        current_user.email = "grace@example.com"
        db.session.commit()
        return str(db.session.get(User, current_user.id) is current_user._get_current_object())

    client, _ = sign_in(app)
    assert client.get("/renamed").text == "True"
    with app.app_context():
        assert email_now() == "grace@example.com"


def test_a_session_beside_it_does_not_take_it(ada: User) -> None:
    """Somebody may want one with a transaction of its own, as for a note that is kept in any case."""
    ada.email = "grace@example.com"
    with db.session.session_factory() as beside:
        assert list(beside) == []
    db.session.commit()
    assert email_now() == "grace@example.com"


def test_a_session_can_be_made_outside_of_the_application() -> None:
    db.session.session_factory().close()


def test_who_hides_rows_from_sessions_hides_them_here(db_session: Any) -> None:
    """As of users who are kept for a while after they were deleted."""
    make_user("ada")
    db_session.remove()

    def hide(state: Any) -> None:
        hidden = with_loader_criteria(User, User.email != ADA["email"])
        state.statement = state.statement.options(hidden)

    event.listen(db.session, "do_orm_execute", hide)
    try:
        assert READ.first(db, ADA) is None
    finally:
        event.remove(db.session, "do_orm_execute", hide)


class Base(DeclarativeBase):
    """Models that somebody might have."""


class Writer(Base):
    """Has relationships."""

    __tablename__ = "test_writers"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    books: Mapped[list["Book"]] = relationship()


class Book(Base):
    """Belongs to one."""

    __tablename__ = "test_books"
    id: Mapped[int] = mapped_column(primary_key=True)
    writer_id: Mapped[int] = mapped_column(ForeignKey(Writer.id))


class Reader(Base):
    """Has relationships that are read together with it."""

    __tablename__ = "test_readers"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    cards: Mapped[list["Card"]] = relationship(lazy="joined")


class Card(Base):
    """Belongs to one."""

    __tablename__ = "test_cards"
    id: Mapped[int] = mapped_column(primary_key=True)
    reader_id: Mapped[int] = mapped_column(ForeignKey(Reader.id))


class Reserved(Base):
    """Has a column that is read when it is asked for, and one that is none."""

    __tablename__ = "test_reserved"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    portrait: Mapped[str] = mapped_column(deferred=True)
    one: Mapped[int] = column_property(literal_column("1"))


class Listened(Base):
    """Somebody wants to know when one is loaded."""

    __tablename__ = "test_listened"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]


@pytest.fixture
def others(db_session: Any) -> Iterator[None]:
    with db.engine.begin() as connection:
        Base.metadata.create_all(connection)
    db_session.add(Writer(email=ADA["email"], books=[Book()]))
    db_session.add(Reader(email=ADA["email"], cards=[Card(), Card()]))
    db_session.add_all([Reserved(email=ADA["email"], portrait="…"), Listened(email=ADA["email"])])
    db_session.commit()
    db_session.remove()
    yield
    db_session.remove()
    with db.engine.begin() as connection:
        Base.metadata.drop_all(connection)


def test_relationships_can_be_followed(others: None) -> None:
    found = by_email(Writer).first(db, ADA)
    assert found is not None
    assert [book.writer_id for book in found[0].books] == [found[0].id]
    assert found[0] in db.session


def test_relationships_that_come_with_it_are_left_to_sqlalchemy(others: None) -> None:
    found = by_email(Reader).first(db, ADA)
    assert found is not None
    assert len(vars(found[0])["cards"]) == 2


def test_a_relationship_may_be_made_known_later(app: Flask, db_session: Any) -> None:
    """By a module that is loaded when it is needed."""

    class Later(DeclarativeBase):
        """Models of a module."""

    class Shop(Later):
        """Read before somebody relates to it."""

        __tablename__ = "test_shops"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str]

    with db.engine.begin() as connection:
        Later.metadata.create_all(connection)
        connection.execute(insert(Shop).values(ADA))
    read = by_email(Shop)
    with app.app_context():
        assert read.first(db, ADA) is not None

    class Shelf(Later):
        """Tells the shop that it has shelves."""

        __tablename__ = "test_shelves"
        id: Mapped[int] = mapped_column(primary_key=True)
        shop_id: Mapped[int] = mapped_column(ForeignKey(Shop.id))
        shop: Mapped[Shop] = relationship(backref="shelves")

    try:
        with db.engine.begin() as connection:
            Later.metadata.create_all(connection)
        configure_mappers()
        found = read.first(db, ADA)
        assert found is not None
        assert found[0].shelves == []
    finally:
        db_session.remove()
        with db.engine.begin() as connection:
            Later.metadata.drop_all(connection)


def test_what_is_not_read_at_once_is_left_to_sqlalchemy(others: None) -> None:
    found = by_email(Reserved).first(db, ADA)
    assert found is not None
    assert (found[0].one, found[0].portrait) == (1, "…")


def test_who_listens_to_loading_is_told(others: None) -> None:
    told: list[Any] = []
    event.listen(Listened, "load", lambda target, _: told.append(target))
    found = by_email(Listened).first(db, ADA)
    assert found is not None
    assert told == [found[0]]
