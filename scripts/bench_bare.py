"""What the door is measured against: a bare Flask route that reads the body and commits one row.

``gunicorn bench_bare:app`` with the settings and the database of the application; nothing else of it.
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flask import Flask, request
from sqlalchemy import Column, DateTime, Integer, LargeBinary, MetaData, Table, create_engine

from saas.config import from_environment
from saas.kit import sqlite

TABLE = Table(
    "bench_bare",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("body", LargeBinary),
    Column("received_at", DateTime(timezone=True)),
)

engine = create_engine(from_environment(os.environ).sqlalchemy_url, pool_size=10)
sqlite.configure(engine)
TABLE.metadata.create_all(engine)
engine.dispose()  # The workers are forked from here and must not share a connection.
app = Flask("bench_bare")


@app.post("/bare")
def bare() -> tuple[str, int]:
    """Keep the body."""
    values = {"body": request.get_data(), "received_at": datetime.now(UTC)}
    with engine.begin() as connection:
        connection.execute(TABLE.insert().values(values))
    return "Accepted.\n", 202
