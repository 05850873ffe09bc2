"""The test database: emptied between tests, never dropped."""

from saas.extensions import db, start_write


def empty_database() -> None:
    """Delete every row of every table."""
    start_write()
    for table in reversed(db.metadata.sorted_tables):
        db.session.execute(table.delete())
    db.session.commit()
    db.session.remove()
