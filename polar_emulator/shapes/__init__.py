"""How documents look outside: the recorded JSON of every object, key by key."""
