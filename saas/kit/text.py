"""Words for machines."""

import re
import unicodedata


def slug(text: str) -> str:
    """Return ``text`` as a name for code: ``Pro features`` gives ``pro_features``."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
