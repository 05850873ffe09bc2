"""Make an empty PostgreSQL database for one run of the tests and print its address, or drop it.

``python .ci/database.py`` tries the users that may let us in: PGUSER, us, postgres. Without the
right to make a database it makes a schema in the database ``test``. ``--drop`` removes what
``TEST_DATABASE_URL`` names.
"""

import getpass
import os
import sys
from urllib.parse import quote

import psycopg
from psycopg import sql
from sqlalchemy import make_url

HOST = os.environ.get("PGHOST", "127.0.0.1")
PORT = os.environ.get("PGPORT", "5432")
SCHEMA_OPTION = "-csearch_path="


def main() -> None:
    """Print the address of a new database, or drop the one that is named."""
    if "--drop" in sys.argv:
        drop(os.environ["TEST_DATABASE_URL"])
    else:
        print(make(f"ci_{os.getpid()}"))


def make(name: str) -> str:
    """Make a database or a schema called ``name``; return its address. Exits when none can be made."""
    users = dict.fromkeys(filter(None, [os.environ.get("PGUSER"), getpass.getuser(), "postgres"]))
    refusals = []
    for user in users:
        for kind, maintenance in (
            ("DATABASE", "postgres"),
            ("DATABASE", "test"),
            ("SCHEMA", "test"),
        ):
            try:
                _execute(user, maintenance, f"CREATE {kind} {{}}", name)
            except psycopg.Error as error:
                refusals.append(f"{user}@{maintenance}: {error}".strip())
                continue
            if kind == "DATABASE":
                return _url(user, name)
            return f"{_url(user, maintenance)}?options={quote(SCHEMA_OPTION + name)}"
    sys.exit("PostgreSQL answers but gives us no database:\n" + "\n".join(refusals))


def drop(url: str) -> None:
    """Remove the database or the schema that ``url`` names, when it is one of ours."""
    parsed = make_url(url)
    schema = str(parsed.query.get("options", "")).removeprefix(SCHEMA_OPTION)
    name = schema or str(parsed.database)
    if not name.startswith("ci_"):
        sys.exit(f"{name} was not made for a test run, so it stays.")
    if schema:
        _execute(str(parsed.username), str(parsed.database), "DROP SCHEMA {} CASCADE", name)
    else:
        _execute(str(parsed.username), "postgres", "DROP DATABASE {} WITH (FORCE)", name)


def _execute(user: str, database: str, statement: str, name: str) -> None:
    with psycopg.connect(
        host=HOST, port=PORT, user=user, dbname=database, autocommit=True, connect_timeout=5
    ) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def _url(user: str, database: str) -> str:
    password = os.environ.get("PGPASSWORD")
    secret = f":{quote(password, safe='')}" if password else ""
    return f"postgresql://{quote(user, safe='')}{secret}@{HOST}:{PORT}/{database}"


if __name__ == "__main__":
    main()
