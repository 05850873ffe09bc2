"""The secret goes into ``.env``; everything else in there stays, and all of it is read as at the start."""

import os
import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import example, given
from hypothesis import strategies as st

from saas.config import could_be_secret, from_environment
from saas.polar_setup import env_file
from tests.property.profile import examples

NEW = "whsec_" + "new" * 10
OLD = "whsec_" + "old" * 10
OTHER = "whsec_" + "two" * 10
NAME = "POLAR_WEBHOOK_SECRET"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"{NAME}={NEW}\n"),
        ("A=1", f"A=1\n{NAME}={NEW}\n"),
        ("A=1\r\n", f"A=1\r\n{NAME}={NEW}\r\n"),
        (f"A=1\n{NAME}=\nB=2\n", f"A=1\n{NAME}={NEW}\nB=2\n"),
        (f"{NAME}\nB=2\n", f"{NAME}={NEW}\nB=2\n"),
        (f"{NAME} # c\n", f"{NAME}={NEW} # c\n"),
        (f"{NAME}='{OLD}'\n# c\n", f"{NAME}='{NEW},{OLD}'\n# c\n"),
        (f'{NAME}="{OLD}"  # c\nB=2\n', f'{NAME}="{NEW},{OLD}"  # c\nB=2\n'),
        (f'{NAME}="{OLD}\n{OTHER}"\nB=2\n', f'{NAME}="{NEW},{OLD},{OTHER}"\nB=2\n'),
        (f"export {NAME} = {OLD}, {OTHER}\n", f"export {NAME} = {NEW},{OLD},{OTHER}\n"),
        (f"#{NAME}=x\n", f"#{NAME}=x\n{NAME}={NEW}\n"),
        (f"{NAME}={OLD}  # from the dashboard\nB=2\n", f"{NAME}={NEW},{OLD}  # from the dashboard\nB=2\n"),
        (f"{NAME}=  # filled by setup\nB=2", f"{NAME}={NEW}  # filled by setup\nB=2"),
        (f"{NAME}=#none\n", f"{NAME}={NEW}\n"),
        (f"{NAME}={OLD},#,from,the,dashboard\n", f"{NAME}={NEW},{OLD}\n"),
        (f"{NAME}={OLD}\n{NAME}={OTHER}\n", f"{NAME}={OLD}\n{NAME}={NEW},{OTHER}\n"),
        (f"\ufeffA=1\r\n\r\n{NAME}={OLD}\r\nB=2\r\n", f"\ufeffA=1\r\n\r\n{NAME}={NEW},{OLD}\r\nB=2\r\n"),
        (f"A='x\n{NAME}={OLD}\n'\n", f"A='x\n{NAME}={OLD}\n'\n{NAME}={NEW}\n"),
        (f"{NAME}={OLD},{NEW},x\n", f"{NAME}={NEW},{OLD}\n"),
    ],
)  # fmt: skip
def test_only_the_secret_changes(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / ".env"
    if before:
        path.write_bytes(before.encode())
    assert env_file.add_secret(path, NEW) is True
    assert path.read_bytes().decode() == after
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert env_file.add_secret(path, NEW) is False
    assert path.read_bytes().decode() == after
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [".env"]
    assert (dotenv_values(path)[NAME] or "").startswith(NEW)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_root_leaves_it_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\n")
    os.chown(path, 65534, 65533)
    assert env_file.add_secret(path, NEW) is True
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65533)


def test_what_is_not_utf8_stays(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(f"A=\xe9\n{NAME}={OLD}\n".encode("latin-1"))
    env_file.add_secret(path, NEW)
    assert path.read_bytes() == f"A=\xe9\n{NAME}={NEW},{OLD}\n".encode("latin-1")


LINES = st.lists(
    st.builds(
        "".join,
        st.tuples(
            st.sampled_from(["", " ", "\n", "export ", "#", "\t"]),
            st.sampled_from(["A", NAME, f"'{NAME}'", "B_2", f"X{NAME}"]),
            st.sampled_from(["", "=", " = ", "=\t", "= "]),
            st.sampled_from(["", OLD, f"'{OLD}'", f'"{OLD}, {OTHER}"', f"{OLD} {OTHER}", "#x", "# x",
                             '"', "'a\nb'", f"{OLD} # c", f'"{OLD}" # "c"', "\\", "a'b", "$A"]),
            st.sampled_from(["", " ", "  # a comment", "\t#", "x"]),
            st.sampled_from(["\n", "\r\n", "\r", ""]),
        ),
    ),
    max_size=5,
)  # fmt: skip


@given(lines=LINES)
@example(lines=[f"{NAME}={OLD} \t# c\r\n"])
@examples(100)
def test_any_file_is_read_as_before_but_for_the_secret(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = tmp_path_factory.mktemp("env") / ".env"
    path.write_bytes("".join(lines).encode())
    before = dict(dotenv_values(path, interpolate=False))
    there = from_environment({NAME: before.get(NAME) or ""}).polar_webhook_secrets
    kept = [word for word in there if could_be_secret(word)]
    env_file.add_secret(path, NEW)
    after = dict(dotenv_values(path, interpolate=False))
    assert after.pop(NAME) == ",".join([NEW, *kept])
    assert after == {name: value for name, value in before.items() if name != NAME}
