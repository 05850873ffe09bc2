"""Tools that know no domain: they could serve any web application."""
