"""Signed tokens."""

import base64
from datetime import timedelta

import pytest
import time_machine
from flask.json.tag import TaggedJSONSerializer
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from saas.kit import tokens
from saas.kit.datetimes import utcnow
from saas.kit.tokens import RememberingSerializer, Signer, TokenError, read, sign

COOKIE = {"_user_id": "ada", "_fresh": True, "count": 7, "nothing": None}
OLD, NEW = "an older key", "the key of today"
HOUR = timedelta(hours=1)
PAYLOAD = "ada é/?&"


def test_what_was_signed_is_read_back() -> None:
    token = sign([NEW], "reset", PAYLOAD)
    assert read([NEW], "reset", token, HOUR) == PAYLOAD
    assert all(char.isalnum() or char in "-_." for char in token)


def test_it_is_signed_with_sha256() -> None:
    signature = sign([NEW], "reset", PAYLOAD).rpartition(".")[2]
    assert len(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))) == 256 // 8


def test_a_machine_whose_clock_is_behind_reads_it() -> None:
    token = sign([NEW], "reset", PAYLOAD)
    with time_machine.travel(utcnow() - timedelta(minutes=1), tick=False):
        assert read([NEW], "reset", token, HOUR) == PAYLOAD


def test_a_token_is_good_for_one_purpose() -> None:
    with pytest.raises(TokenError):
        read([NEW], "confirmation", sign([NEW], "reset", PAYLOAD), HOUR)


def test_a_token_ages() -> None:
    token = sign([NEW], "reset", PAYLOAD)
    with time_machine.travel(utcnow() + HOUR - timedelta(seconds=2), tick=False):
        assert read([NEW], "reset", token, HOUR) == PAYLOAD
    with (
        time_machine.travel(utcnow() + HOUR + timedelta(seconds=2), tick=False),
        pytest.raises(TokenError),
    ):
        read([NEW], "reset", token, HOUR)


def test_a_key_can_be_replaced_without_breaking_links() -> None:
    token = sign([OLD], "reset", PAYLOAD)
    assert read([OLD, NEW], "reset", token, HOUR) == PAYLOAD
    with pytest.raises(TokenError):
        read([NEW], "reset", token, HOUR)
    with pytest.raises(TokenError):
        read([OLD], "reset", sign([OLD, NEW], "reset", PAYLOAD), HOUR)


@pytest.mark.parametrize("change", ["", "x", ".", "..", "a.b.c", "\x00", "é", "A" * 10_000])
def test_nonsense_is_refused(change: str) -> None:
    with pytest.raises(TokenError):
        read([NEW], "reset", change, HOUR)


def test_a_changed_letter_is_noticed() -> None:
    token = sign([NEW], "reset", PAYLOAD)
    for position in range(len(token)):
        changed = (
            token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        )
        if changed[:-1] == token[:-1]:
            continue  # The last letter of base64 has bits that nobody reads.
        with pytest.raises(TokenError):
            read([NEW], "reset", changed, HOUR)


def remembering() -> RememberingSerializer:
    return RememberingSerializer([NEW], serializer=TaggedJSONSerializer(), signer=Signer)


def test_a_text_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    serializer = remembering()
    text = serializer.dumps(COOKIE)
    assert serializer.loads(text) == COOKIE
    monkeypatch.setattr(Signer, "unsign", None)  # Whoever checks again fails.
    assert serializer.loads(text, max_age=60) == COOKIE
    with pytest.raises(TypeError):
        serializer.loads(text + "A")


def test_what_is_not_ours_is_refused_each_time() -> None:
    serializer = remembering()
    text = serializer.dumps(COOKIE)
    serializer.loads(text)
    for _ in range(2):
        for wrong in (text[:-1], "A" + text[1:], "", text.rpartition(".")[0]):
            with pytest.raises(BadSignature):
                serializer.loads(wrong)


def test_what_is_remembered_ages() -> None:
    serializer = remembering()
    text = serializer.dumps(COOKIE)
    for seconds in (0, 58):
        with time_machine.travel(utcnow() + timedelta(seconds=seconds), tick=False):
            assert serializer.loads(text, max_age=60) == COOKIE
    with time_machine.travel(utcnow() + timedelta(seconds=62), tick=False):
        with pytest.raises(SignatureExpired):
            serializer.loads(text, max_age=60)
        assert serializer.loads(text) == COOKIE


def test_everybody_gets_an_object_of_their_own() -> None:
    serializer = remembering()
    text = serializer.dumps(COOKIE)
    for _ in range(3):
        found = serializer.loads(text)
        assert found == COOKIE
        found["count"] = 8
        found["more"] = "than before"


def test_what_has_parts_that_could_be_changed_is_read_each_time() -> None:
    serializer = remembering()
    text = serializer.dumps({"_flashes": [("info", "Hello.")]})
    for _ in range(3):
        found = serializer.loads(text)
        assert found == {"_flashes": [("info", "Hello.")]}
        found["_flashes"].clear()


def test_when_it_was_signed_is_told() -> None:
    serializer = remembering()
    text = serializer.dumps(COOKIE)
    for _ in range(2):
        found, signed_at = serializer.loads(text, return_timestamp=True)
        assert found == COOKIE
        assert abs((utcnow() - signed_at).total_seconds()) < 5


def test_whoever_has_many_cookies_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_READ", 10)
    serializer = remembering()
    texts = [serializer.dumps(COOKIE | {"count": number}) for number in range(35)]
    for text in texts * 2:
        serializer.loads(text)
    assert len(serializer._read) <= 10


@pytest.mark.parametrize("letters", [10, 150, 1000])
def test_others_read_it_and_it_reads_theirs(letters: int) -> None:
    """Short or long: the text is that of itsdangerous, as another release of ours may have written it."""
    value = {"_user_id": "a" * letters}
    ours, theirs = (
        kind([OLD, NEW], serializer=TaggedJSONSerializer())
        for kind in (RememberingSerializer, URLSafeTimedSerializer)
    )
    for _ in range(2):
        assert theirs.loads(ours.dumps(value)) == value
        assert ours.loads(theirs.dumps(value)) == value
    assert len(ours.dumps(value)) < 400
