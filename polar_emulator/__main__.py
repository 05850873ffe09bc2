"""`python -m polar_emulator`: the local Polar on the command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from polar_emulator import cli
from polar_emulator.settings import DEFAULT_PORT, DEFAULT_STORE, Settings, SettingsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until stopped, or do a command with one that runs. Returns 1 after one sentence of trouble."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in cli.COMMANDS:
        return cli.run(words, os.environ)
    try:
        settings = read_settings(words, os.environ)
        settings.check()
        from polar_emulator.server import serve

        serve(settings)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def read_settings(arguments: Sequence[str] | None, environ: Mapping[str, str]) -> Settings:
    """The settings of a command line; what it leaves out comes from POLAR_EMULATOR_* variables."""
    given = _parser(environ).parse_args(arguments)
    try:
        return Settings(
            host=given.host,
            port=int(given.port),
            store=given.store,
            webhook_url=given.webhook_url,
            webhook_secret=given.webhook_secret,
            webhook_standard=given.webhook_standard,
            public_url=given.public_url,
            fast=given.fast,
            hold_confirmed=given.hold_confirmed,
            strict_webhook_urls=given.strict_webhook_urls,
            exposed=given.yes_really_not_loopback,
            retry_scale=float(given.retry_scale or (0.005 if given.fast else 1)),
        )
    except ValueError:
        raise SettingsError("--port and --retry-scale must be numbers.") from None


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    def read(name: str, default: str = "") -> str:
        return environ.get(f"POLAR_EMULATOR_{name}", "") or default

    parser = argparse.ArgumentParser(
        prog="python -m polar_emulator",
        description="A Polar on this machine. No money moves.",
        epilog=f"Commands for one that runs: {', '.join(cli.COMMANDS)}. Each has its own --help.",
    )
    add = parser.add_argument
    add("command", nargs="?", choices=["serve"], help="serve, which is what it does anyway")
    add("--host", default=read("HOST", "127.0.0.1"), help="a loopback address")
    add("--yes-really-not-loopback", action="store_true", help="allow --host to be any address")
    add("--port", default=read("PORT", str(DEFAULT_PORT)), help="0 takes a free one (default 8001)")
    add("--store", default=read("STORE", DEFAULT_STORE), help="an SQLite file, or :memory:")
    add("--webhook-url", default=read("WEBHOOK_URL"), help="where deliveries go")
    add("--webhook-secret", default=read("WEBHOOK_SECRET"), help="what they are signed with")
    add(
        "--webhook-standard",
        action="store_true",
        default=bool(read("WEBHOOK_STANDARD")),
        help="sign as with secrets made since September 2026: the key is base64 behind whsec_",
    )
    add("--public-url", default=read("PUBLIC_URL"), help="the address in links, if not its own")
    add("--retry-scale", default=read("RETRY_SCALE"), help="factor for waits between attempts")
    add("--fast", action="store_true", default=bool(read("FAST")), help="leave out every wait")
    add(
        "--strict-webhook-urls",
        action="store_true",
        default=bool(read("STRICT_WEBHOOK_URLS")),
        help="refuse webhook endpoints at http addresses and on this machine, as Polar does",
    )
    add(
        "--hold-confirmed",
        action="store_true",
        default=bool(read("HOLD_CONFIRMED")),
        help="leave checkouts confirmed until told otherwise",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
