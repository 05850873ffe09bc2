"""What tests of log lines read them with."""

from collections.abc import Callable
from typing import Any

Lines = Callable[[], list[dict[str, Any]]]
