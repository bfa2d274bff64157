import copy
import json
import pickle
import shlex
import traceback
import urllib.parse
from collections.abc import Callable

import pytest

from keyturn.model.secret import Secret

CANARY = "Maple7Rain-42x"


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{!r}".format, "%s".__mod__, "{:>20}".format, ascii])
def test_every_text_form_is_the_word_secret(show: Callable[[object], str]) -> None:
    assert show(Secret(CANARY)) == "<secret>"


@pytest.mark.parametrize(
    "leak",
    [
        lambda s: "".join([s]),
        lambda s: "password=" + s,
        json.dumps,
        pickle.dumps,
        shlex.quote,
        urllib.parse.quote,
        bytes,
        list,
        hash,
        lambda s: s.encode(),
    ],
)
def test_whatever_would_write_it_raises(leak: Callable[[Secret], object]) -> None:
    with pytest.raises((TypeError, AttributeError)):
        leak(Secret(CANARY))


def test_a_traceback_with_locals_does_not_show_it() -> None:
    def fails(password: Secret) -> None:
        raise RuntimeError("no")

    try:
        fails(Secret(CANARY))
    except RuntimeError as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert CANARY not in "".join(shown.format())


def test_equal_secrets_are_equal_and_copies_are_the_same_one() -> None:
    secret = Secret(CANARY)
    assert secret == Secret(CANARY)
    assert secret != Secret("other")
    assert secret != CANARY
    assert copy.deepcopy(secret) is secret
    assert secret.reveal() == CANARY


def test_only_text_becomes_a_secret() -> None:
    with pytest.raises(TypeError):
        Secret(b"bytes")  # type: ignore[arg-type]
