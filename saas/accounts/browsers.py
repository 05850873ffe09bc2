"""A browser in words, for people who look for the one they do not know."""

# The first that fits wins: Edge and Opera call themselves Chrome, too, and Chrome calls itself Safari.
PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
UNKNOWN = "An unknown browser"


def name_of(user_agent: str) -> str:
    """Return for example "Firefox on Windows". It is what the browser says, and proves nothing."""
    program = _first(PROGRAMS, user_agent) or UNKNOWN
    system = _first(SYSTEMS, user_agent)
    return f"{program} on {system}" if system else program


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for mark, name in names if mark in user_agent), "")
