"""The local Polar: a stand-in for the Polar API on this machine, where no money moves.

An application of its own with its own process and its own store. It is reached over HTTP only
and never imports the product that it serves. Start it with `python -m polar_emulator`.
"""
