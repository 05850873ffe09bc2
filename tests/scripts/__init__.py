"""Tests of what the verbs of the Makefile run. The scripts are no package, so their folder is added."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
