"""Build an image without an engine: a stage is an overlay on this machine's files, a command runs in it.

What differs from a real build: the base image is this machine (its libraries, its Python under
/usr/local), and nothing is fetched from a registry of images. Linux, and root or sudo without a password.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

from dockerfile_parse import DockerfileParser

CACHE = Path(os.environ.get("UV_CACHE_DIR") or Path.home() / ".cache/uv")
SOURCE = "/mnt"
PASSED_ON = ("SSL_CERT_FILE", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "HTTPS_PROXY", "NO_PROXY")


class BuildError(Exception):
    """A step failed; the text is what it said."""


@dataclass
class Stage:
    """A stage of the build: its files, and what its instructions say about running it.

    ``layers`` are folders, the newest first. Each has the new files in ``files``, and what changed in
    the machine's own /usr and /etc in ``usr`` and ``etc``.
    """

    layers: list[Path]
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0"
    volumes: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    check: list[str] = field(default_factory=list)
    stop_signal: str = "SIGTERM"

    @property
    def files(self) -> Path:
        """The newest layer's own files."""
        return self.layers[0] / "files"


def as_root() -> list[str]:
    """How to become root here."""
    return [] if os.geteuid() == 0 else ["sudo", "-n", "-E"]


def why_not() -> str:
    """Why nothing can be built here, or an empty text."""
    if not shutil.which("unshare"):
        return "there is no unshare"
    probe = [*as_root(), "unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"no file systems can be mounted here: {done.stderr}"


class Builder:
    """Follows a Dockerfile. ``context`` is the folder of the project as .dockerignore leaves it."""

    def __init__(self, dockerfile: Path, context: Path, scratch: Path) -> None:
        self.context, self.scratch = context, scratch
        self.stages: dict[str, Stage] = {}
        with dockerfile.open("rb") as file:
            self.steps = DockerfileParser(fileobj=file).structure

    def build(self) -> Stage:
        """Run every instruction and return the last stage."""
        stage: Stage | None = None
        for step in self.steps:
            name, value = step["instruction"], step["value"]
            if name == "COMMENT":
                continue
            if name == "FROM":
                stage = self._begin(value)
            elif stage is None:
                raise BuildError(f"{name} before FROM")
            else:
                getattr(self, f"_{name.lower()}")(stage, value)
        if stage is None:
            raise BuildError("there is no FROM")
        return stage

    def _begin(self, value: str) -> Stage:
        words = value.split()
        image, name = words[0], words[2] if len(words) == 3 else str(len(self.stages))
        stage = Stage([_new_layer(self.scratch, len(self.stages))])
        if image in self.stages:
            parent = self.stages[image]
            stage.layers += parent.layers
            stage.environment = dict(parent.environment)
        elif "/uv:" in image:
            shutil.copy(_uv(), stage.files / "uv")
        self.stages[name] = stage
        return stage

    def _copy(self, stage: Stage, value: str) -> None:
        words = shlex.split(value)
        source = self.context
        if words[0].startswith("--from="):
            source = self.stages[words.pop(0).removeprefix("--from=")].files
        *names, target = words
        copies = ["cp -a --no-preserve=ownership"]
        copies += [
            f"{SOURCE}/{n.lstrip('/')}" + "/." * (source / n.lstrip("/")).is_dir() for n in names
        ]
        folder = target if len(names) > 1 or copies[-1].endswith("/.") else str(Path(target).parent)
        script = f"mkdir -p {folder}; {' '.join(copies)} {target}"
        self._do(stage, script, [(str(source), SOURCE)])

    def _run(self, stage: Stage, value: str) -> None:
        words = value.split(" ")
        mounts = []
        while words[0].startswith("--mount=") or not words[0]:
            if word := words.pop(0):
                mounts.append(dict(p.split("=", 1) for p in word[8:].split(",")))
        self._do(stage, " ".join(words), [self._mount(m, stage) for m in mounts])

    def _do(self, stage: Stage, script: str, mounts: list[tuple[str, str]]) -> None:
        command = [*inside(stage, self.scratch, mounts), "sh", "-ec", script]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildError(f"{script}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")

    def _mount(self, mount: dict[str, str], stage: Stage) -> tuple[str, str]:
        if mount["type"] == "cache":
            CACHE.mkdir(parents=True, exist_ok=True)
            return str(CACHE), mount["target"]
        target = mount["target"]
        if not target.startswith("/"):
            target = f"{stage.folder}/{target}"
        return str(self.context / mount["source"]), target

    def _env(self, stage: Stage, value: str) -> None:
        for pair in shlex.split(value):
            name, _, text = pair.partition("=")
            stage.environment[name] = text.replace("$PATH", _path(stage))

    def _workdir(self, stage: Stage, value: str) -> None:
        stage.folder = value
        (stage.files / value.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def _user(self, stage: Stage, value: str) -> None:
        stage.user = value

    def _volume(self, stage: Stage, value: str) -> None:
        stage.volumes.append(value)

    def _expose(self, stage: Stage, value: str) -> None:
        """Only says which port it is."""

    def _stopsignal(self, stage: Stage, value: str) -> None:
        stage.stop_signal = value

    def _healthcheck(self, stage: Stage, value: str) -> None:
        stage.check = json.loads(value.partition("CMD")[2])

    def _cmd(self, stage: Stage, value: str) -> None:
        stage.command = json.loads(value)


def inside(
    stage: Stage,
    scratch: Path,
    mounts: list[tuple[str, str]] | None = None,
    *,
    read_only: bool = False,
    settings: dict[str, str] | None = None,
) -> list[str]:
    """Return the beginning of a command that runs in the stage, with its environment and nothing else.

    ``read_only`` is a container started so: only /tmp, /dev/shm and the volumes can be written.
    """
    environment = {"PATH": _path(stage), "HOME": "/tmp", "LANG": "C.UTF-8"} | stage.environment
    if not read_only:
        environment |= {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environment |= {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}  # As scripts/setup.py does.
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        environment["LD_LIBRARY_PATH"] = "/usr/local/lib"
    words = [f"{name}={value}" for name, value in (environment | (settings or {})).items()]
    script = _mounting(stage, scratch, mounts or [], read_only)
    user = ["setpriv", f"--reuid={stage.user}", f"--regid={stage.user}", "--clear-groups",
            "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]  # fmt: skip
    return [*as_root(), "unshare", "--mount", "sh", "-ec", script + '\nexec "$@"', "sh",
            "chroot", str(scratch / "root"), "env", "-i", *words, *(user if read_only else []),
            "sh", "-ec", f'cd {stage.folder}; exec "$@"', "sh"]  # fmt: skip


def _mounting(stage: Stage, scratch: Path, mounts: list[tuple[str, str]], read_only: bool) -> str:
    root = scratch / "root"
    lines = [_overlay(stage, part, below, root, read_only) for part, below in
             (("files", _skeleton(scratch)), ("usr", Path("/usr")), ("etc", Path("/etc")))]  # fmt: skip
    if sys.base_prefix != "/usr":
        lines.append(f"mount -o bind,ro {sys.base_prefix} {root}/usr/local")
    lines += [f"mount --rbind /dev {root}/dev", f"mount -t proc proc {root}/proc",
              f"mount -t tmpfs -o mode=1777 tmpfs {root}/tmp"]  # fmt: skip
    for source, target in mounts:
        made = "mkdir -p" if Path(source).is_dir() else "touch"
        lines.append(f"[ -e {root}{target} ] || {made} {root}{target}")
        lines.append(f"mount --bind {source} {root}{target}")
    for volume in stage.volumes if read_only else []:
        if volume not in [target for _, target in mounts]:
            lines.append(f"mount -t tmpfs -o mode=1777 tmpfs {root}{volume}")
    return "\n".join(lines)


def _overlay(stage: Stage, part: str, below: Path, root: Path, read_only: bool) -> str:
    where = root if part == "files" else root / part
    layers = [str(layer / part) for layer in stage.layers]
    if read_only:
        options = f"lowerdir={':'.join([*layers, str(below)])}"
    else:
        lower = ":".join([*layers[1:], str(below)])
        options = f"lowerdir={lower},upperdir={layers[0]},workdir={layers[0]}.work"
    return f"mount -t overlay overlay -o {options} {where}"


def _skeleton(scratch: Path) -> Path:
    """What every root has: folders to mount on, and the links that this machine has, too."""
    folder = scratch / "skeleton"
    for name in ("dev", "etc", "mnt", "proc", "root", "tmp", "usr"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        link = Path("/", name)
        if link.is_symlink() and not (folder / name).is_symlink():
            (folder / name).symlink_to(link.readlink())
    (scratch / "root").mkdir(exist_ok=True)
    return folder


def _new_layer(scratch: Path, number: int) -> Path:
    layer = scratch / f"layer-{number}"
    for part in ("files", "usr", "etc"):
        (layer / part).mkdir(parents=True)
        (layer / f"{part}.work").mkdir()
    return layer


def _path(stage: Stage) -> str:
    return stage.environment.get("PATH", "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin")


def _uv() -> str:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
    from get_uv import find_uv

    found = find_uv()
    if not found:
        raise BuildError("there is no uv")
    return found
