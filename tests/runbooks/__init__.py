"""Every command of the runbooks, run in an installation of its own."""
