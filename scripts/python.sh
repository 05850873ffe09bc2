#!/bin/sh
# Runs a Python from 3.11 to 3.13 with the arguments given: the first one found that has what we need.
# PYTHON=/path/to/python chooses another.

fits='import sys, ssl, sqlite3, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11 python \
    /usr/local/bin/python3.1[123] /opt/homebrew/bin/python3.1[123] \
    "${HOME:-/nonexistent}"/.pyenv/versions/3.1[123].*/bin/python3 \
    "${HOME:-/nonexistent}"/.local/share/uv/python/cpython-3.1[123].*/bin/python3; do
    if command -v "$candidate" >/dev/null 2>&1 && "$candidate" -c "$fits" >/dev/null 2>&1; then
        exec "$candidate" "$@"
    fi
done

found=$(python3 --version 2>/dev/null || echo "no python3 on the PATH")
echo "This project needs Python 3.11, 3.12 or 3.13 with ssl, sqlite3 and venv (found: $found)." \
    "Install one of them, or name it: make PYTHON=/path/to/python3.12 ..." >&2
exit 1
