"""Tests of what a server runs: the image, the stack, migrations under way."""
