"""``flask polar …``: set up the real Polar, and find out what is wrong with it."""

from flask.cli import AppGroup

polar = AppGroup("polar", help="Set up Polar, and find out what is wrong with it.")
