"""Generates projects with real cookiecutters and looks at what comes out."""
