import hashlib
import io
import re
import zipfile
from pathlib import Path

import get_uv
import pytest

NAMES = [
    "py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl",
    "py3-none-musllinux_1_1_x86_64.whl",
    "py3-none-macosx_11_0_arm64.whl",
    "py3-none-win_amd64.whl",
]
LINKS = [f"../../packages/ab/uv-{v}-{name}" for v in ("1.2.3", "1.2.30") for name in NAMES]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("manylinux.*x86_64", "uv-1.2.3-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"),
        ("musllinux.*x86_64", "uv-1.2.3-py3-none-musllinux_1_1_x86_64.whl"),
        ("musllinux.*aarch64", "uv-1.2.3-" + NAMES[1]),
        ("macosx.*arm64", "uv-1.2.3-py3-none-macosx_11_0_arm64.whl"),
        ("manylinux.*sparc", None),
    ],
)
def test_the_wheel_for_this_machine_is_chosen(tag: str, expected: str | None) -> None:
    chosen = get_uv.choose_wheel(LINKS, "1.2.3", tag)
    assert (chosen and chosen.rpartition("/")[2]) == expected


def test_this_machine_has_a_platform_tag() -> None:
    assert re.match(r"(many|musl)linux\.\*|macosx\.\*", get_uv.platform_tag())


def test_the_pinned_version_has_hashes() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", get_uv.pinned_version())
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", get_uv.PINNED.read_text())) > 5


def test_only_pinned_bytes_are_unpacked(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("uv-1.2.3.data/scripts/uvx", "not this one")
        archive.writestr("uv-1.2.3.data/scripts/uv", "the program")
    wheel = buffer.getvalue()

    with pytest.raises(get_uv.ToolError, match="not the pinned one"):
        get_uv.unpack(wheel, "--hash=sha256:0000", tmp_path / "bad")
    assert not (tmp_path / "bad").exists()

    get_uv.unpack(wheel, f"--hash=sha256:{hashlib.sha256(wheel).hexdigest()}", tmp_path / "good")
    program = tmp_path / "good/bin/uv"
    assert program.read_text() == "the program"
    assert program.stat().st_mode & 0o111
