# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret in any text, however it is spelled, and wherever it was configured."""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import time
from urllib.parse import quote, quote_plus, unquote

import pytest
from http_clients import Key, texts_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_server import Reply

from ansible_collections.secops.remediation.plugins.module_utils._common.redaction import (
    MASK,
    proxy_secrets,
    redact,
    redact_json,
)
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpClient, HttpError, from_environment

SECRETS = [
    "client+secret/with odd=signs",
    "s3cr3t/with+odd \"signs\" & 'more'",
    "p#ss/w?rd@x:y%z",
    "Grüße-ßä€-\U0001f600-ok",
    "back\\slash\nline\ttab",
    "<tag>&amp;=`{|}~^",
    "plainsecret",
    "eyJhbGciOiJSUzI1NiJ9." + "QmFzZTY0" * 80 + ".sig-na_ture",
]
LETTERS = "".join(chr(number) for number in range(33, 127)) + " äß€\n\\\"'"


def lower_escapes(text):
    """The same with escapes in small letters."""
    return re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), text)


def every_escape(text):
    """Each byte percent-encoded."""
    return "".join("%%%02X" % byte for byte in text.encode())


SPELLINGS = {
    "plain": str,
    "quote": lambda text: quote(text, safe=""),
    "quote-path": quote,
    "quote_plus": quote_plus,
    "quote_plus-twice": lambda text: quote_plus(quote_plus(text)),
    "quote-lower": lambda text: lower_escapes(quote(text, safe="")),
    "quote-twice": lambda text: quote(quote(text, safe=""), safe=""),
    "quote-twice-lower": lambda text: lower_escapes(quote(lower_escapes(quote(text, safe="")), safe="")),
    "quote-thrice": lambda text: quote(quote(quote(text, safe=""), safe=""), safe=""),
    "quote-everything": every_escape,
    "html": html.escape,
    "html-without-quotes": lambda text: html.escape(text, quote=False),
    "html-twice": lambda text: html.escape(html.escape(text)),
    "html-decimal": lambda text: "".join("&#%d;" % ord(character) for character in text),
    "html-decimal-zeros": lambda text: "".join("&#%05d;" % ord(character) for character in text),
    "html-hex": lambda text: "".join("&#x%x;" % ord(character) for character in text),
    "html-hex-capitals": lambda text: "".join("&#X%X;" % ord(character) for character in text),
    "html-ascii": lambda text: html.escape(text).encode("ascii", "xmlcharrefreplace").decode(),
    "json": lambda text: json.dumps(text)[1:-1],
    "json-unicode": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json-slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json-everything": lambda text: "".join(
        "\\u" + text.encode("utf-16-be").hex()[start : start + 4] for start in range(0, len(text.encode("utf-16-be").hex()), 4)
    ),
    "json-of-a-careful-one": lambda text: (
        json.dumps(text)[1:-1]
        .replace("&", "\\u0026")
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("'", "\\u0027")
        .replace("=", "\\u003D")
    ),
    "json-in-json": lambda text: json.dumps(json.dumps(text))[1:-1],
    "json-in-json-in-json": lambda text: json.dumps(json.dumps(json.dumps(text)))[1:-1],
    "repr": lambda text: repr(text)[1:-1],
    "quote-in-json": lambda text: json.dumps(quote(text, safe=""))[1:-1],
    "json-in-html": lambda text: html.escape(json.dumps(text)[1:-1]),
    "json-in-json-in-html": lambda text: html.escape(json.dumps(json.dumps(text))[1:-1]),
    "json-in-a-url": lambda text: quote(json.dumps(text)[1:-1], safe=""),
    "json-in-json-in-a-url": lambda text: quote(json.dumps(json.dumps(text))[1:-1], safe=""),
    "html-in-a-url": lambda text: quote(html.escape(text), safe=""),
    "html-in-json": lambda text: json.dumps(html.escape(text))[1:-1],
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64-url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64-unpadded": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "base64-quoted": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
    "base64-of-a-user": lambda text: base64.b64encode(b"user:" + text.encode()).decode(),
    "base64-of-another-user": lambda text: base64.b64encode(b"someone:" + text.encode() + b"\n").decode(),
    "base64-of-a-third-user": lambda text: base64.b64encode(b"me:" + text.encode() + b", more").decode(),
}


def remains_of(secret, text):
    """What a reader who undoes every encoding can still see of a secret: its pieces of six characters."""
    seen = {text}
    for _layer in range(4):
        for known in list(seen):
            seen.update({unquote(known), html.unescape(known), known.replace("\\\\", "\\"), known.replace("\\/", "/")})
            seen.add(re.sub(r"\\+u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), known))
            if len(seen) > 60:
                break
    for known in list(seen):
        for found in re.findall(r"[A-Za-z0-9+/_-]{8,}", known):
            for start in range(4):
                data = found[start:].translate(str.maketrans("-_", "+/"))
                seen.add(base64.b64decode(data[: len(data) // 4 * 4]).decode("latin-1"))
    pieces = {secret[start : start + 6] for start in range(max(1, len(secret) - 5))}
    return {piece for piece in pieces if any(piece in known for known in seen)}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
def test_every_spelling(secret, spelling):
    spelled = SPELLINGS[spelling](secret)
    text = "before " + spelled + "\nafter"
    hidden = redact(text, [secret])
    assert hidden.startswith("before ") and hidden.endswith("\nafter") and MASK in hidden
    assert not remains_of(secret, hidden), hidden


@settings(max_examples=150, deadline=None)
@given(secret=st.text(LETTERS, min_size=6, max_size=30), spelling=st.sampled_from(sorted(SPELLINGS)))
def test_any_secret(secret, spelling):
    hidden = redact("[" + SPELLINGS[spelling](secret) + "]", [secret])
    assert MASK in hidden and not remains_of(secret, hidden.replace(MASK, "")), hidden


def test_what_is_no_secret_stays():
    text = 'GET /x?a=%20b&c: {"a": "b\\\\c \\u0026"} &amp; 100 % of plainsecre t'
    assert redact(text, ["plainsecret", "", "other"]) == text


def test_json_values():
    value = {"a": ["x plainsecret", 1, None, True, {"plainsecret": 2.5}], "n": 12}
    assert redact_json(value, ["plainsecret"]) == {"a": ["x " + MASK, 1, None, True, {MASK: 2.5}], "n": 12}
    assert value["a"][0] == "x plainsecret"


def test_a_large_text_takes_no_long_time():
    text = json.dumps([{"id": number, "name": "a & b \\ 100 %"} for number in range(30_000)])
    started = time.monotonic()
    redact(text, SECRETS)
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("piece", ["\\", "%", "&", "+", "%25", "&amp;", "&#0", "\\u", "%5C", "\\u0025", "s3cr3t/"])
def test_no_text_takes_long(piece):
    """An error body of 64 KiB is the API's, or of whoever answers in its place."""
    started = time.monotonic()
    redact(piece * (65_536 // len(piece)), [*SECRETS, "Bearer \\\\\"//'x"])
    assert time.monotonic() - started < 20


PROXIES = {
    "plain": ("http://user:{}@127.0.0.1:1", "pr0xy-w0rd"),
    "encoded": ("http://user:{}@127.0.0.1:1", "pr0xy%23w0rd%2Fend"),
    "hash": ("http://user:{}@127.0.0.1:1", "pr0xy#w0rd"),
    "slash": ("http://user:{}@127.0.0.1:1", "pr0xy/w0rd"),
    "question": ("http://user:{}@127.0.0.1:1", "pr0xy?w0rd"),
    "at": ("http://user:{}@127.0.0.1:1", "pr0xy@w0rd"),
    "colon": ("http://user:{}@127.0.0.1:1", "pr0xy:w0rd"),
    "percent": ("http://user:{}@127.0.0.1:1", "pr0xy%w0rd%zz"),
    "bracket": ("http://user:{}@127.0.0.1:1", "pr0xy-[w0rd"),
    "digits-and-hash": ("http://user:{}@127.0.0.1:1", "12#pr0xy-w0rd"),
    "space": ("http://user:{}@127.0.0.1:1", "pr0xy w0rd"),
    "backslash": ("http://user:{}@127.0.0.1:1", "pr0xy\\w0rd"),
    "unicode": ("http://user:{}@127.0.0.1:1", "pr0xy-w0rd-ä€"),
    "bad-port": ("http://user:{}@127.0.0.1:port", "pr0xy-w0rd"),
    "port-too-large": ("http://user:{}@127.0.0.1:99999", "pr0xy-w0rd"),
    "port-of-5000-digits": ("http://user:{}@127.0.0.1:" + "9" * 5000, "pr0xy-w0rd"),
    "no-host": ("http://user:{}@:8080", "pr0xy-w0rd"),
    "no-scheme": ("user:{}@127.0.0.1:1", "pr0xy-w0rd"),
    "no-scheme-and-a-hash": ("user:{}@127.0.0.1:1", "pr0xy#w0rd"),
    "another-scheme": ("foo://user:{}@127.0.0.1:1", "pr0xy-w0rd"),
    "two-schemes": ("http://http://user:{}@127.0.0.1:1", "pr0xy-w0rd"),
    "socks": ("socks5h://user:{}@127.0.0.1:1", "pr0xy-w0rd"),
    "token-only": ("http://{}@127.0.0.1:1", "pr0xy-token"),
    "empty-label": ("http://user:{}@a..b:1", "pr0xy-w0rd"),
    "long-host": ("http://user:{}@" + "h" * 300 + ":1", "pr0xy-w0rd"),
    "odd-host": ("http://user:{}@[::1:1", "pr0xy-w0rd"),
    "spaces": (" http://user:{}@127.0.0.1:1 ", "pr0xy-w0rd"),
}


class TestProxies:
    @pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
    @pytest.mark.parametrize("kind", PROXIES)
    def test_the_password_is_in_no_text(self, make_client, monkeypatch, caplog, kind, variable):
        caplog.set_level(logging.DEBUG)
        template, password = PROXIES[kind]
        monkeypatch.setenv(variable, template.format(password))
        scheme = "https" if variable.lower().startswith("https") else "http"
        with pytest.raises(HttpError) as caught:
            make_client(base_url=scheme + "://127.0.0.1:9", retry_timeout=0).request("POST", "/x")
        error = caught.value
        assert "nothing could be sent" in str(error) or "proxy" in str(error), str(error)
        assert not error.uncertain and error.__cause__ is None
        texts = " ".join([str(error), repr(error), repr(vars(error))])
        for piece in (password, unquote(password), "pr0xy", "w0rd"):
            assert piece not in texts, texts

    @pytest.mark.parametrize("spelling", SPELLINGS)
    def test_an_answer_that_shows_it(self, server, make_client, monkeypatch, spelling):
        """A proxy's error page, say. The variable need not be the one that is used."""
        monkeypatch.setenv("all_PROXY", "http://user:p%23ss-w0rd%2Fof@127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        client = make_client()
        for secret in ("p#ss-w0rd/of", "p%23ss-w0rd%2Fof"):
            shown = SPELLINGS[spelling](secret)
            server.expect(
                "GET",
                "/x",
                Reply(403, "no: " + shown),
                Reply(403, json={"text": shown, "reference": shown}),
                Reply(200, "no: " + shown),
            )
            for _time in range(3):
                with pytest.raises(HttpError) as caught:
                    client.request("GET", "/x")
                assert "w0rd" not in "".join(remains_of("ss-w0rd", str(caught.value))), str(caught.value)

    def test_secrets_of_an_environment(self):
        secrets = proxy_secrets({"HTTPS_PROXY": "http://joe:a%20bcd@h:1", "x_proxy": "tok3n@h", "no_proxy": "a", "X": "u:p4ss@h"})
        assert {"joe:a%20bcd", "joe:a bcd", "a%20bcd", "a bcd", "tok3n"} <= secrets
        assert not any("p4ss" in secret for secret in secrets)

    def test_a_password_that_is_in_every_word_spoils_no_text(self):
        secrets = proxy_secrets({"HTTPS_PROXY": "http://joe:a@h:1"})
        assert redact("an answer of joe:a@h", secrets) == "an answer of ********@h"

    def test_a_proxy_that_is_told_its_password(self, make_server, make_client, monkeypatch):
        proxy = make_server()
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("//", "//user:pr0xy-pass@"))
        proxy.on("GET", "/x", lambda received: Reply(407, "you sent " + received.headers["Proxy-Authorization"]))
        with pytest.raises(HttpError) as caught:
            make_client(base_url="http://127.0.0.1:9").request("GET", "/x")
        assert not remains_of("pr0xy-pass", str(caught.value)), str(caught.value)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("status", [200, 403])
def test_an_answer_that_shows_a_secret_of_the_api(server, make_client, spelling, status):
    secret = SECRETS[1]
    client, record, shown = make_client(authentication=Key(secrets=[secret])), [], SPELLINGS[spelling](secret)
    server.expect("POST", "/x", Reply(status, json={"text": shown, "code": shown, "odd": [{shown: shown}]}))
    try:
        client.request("POST", "/x", json={"a": secret}, record=record)
    except HttpError as error:
        assert not remains_of(secret, texts_of(error)), str(error)
    assert not remains_of(secret, json.dumps(record))


class TestFromEnvironment:
    def test_the_first_that_says_something(self, monkeypatch):
        monkeypatch.setenv("A_TEST", " ")
        monkeypatch.setenv("B_TEST", "value\n")
        assert from_environment("NOT_THERE", "A_TEST", "B_TEST") == "value"

    @pytest.mark.parametrize("value", [None, "", "  ", "\n"])
    def test_none(self, monkeypatch, value):
        from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

        if value is not None:
            monkeypatch.setenv("A_TEST", value)
        validator = ArgumentSpecValidator(dict(a=dict(type="str", required=True, fallback=(from_environment, ["A_TEST"]))))
        assert validator.validate({}).error_messages == ["missing required arguments: a"]


def test_a_client_can_be_made_whatever_the_proxy_is(monkeypatch, connection_options):
    for template, password in PROXIES.values():
        monkeypatch.setenv("HTTPS_PROXY", template.format(password))
        HttpClient("https://acme.example", connection_options(), Key(), None, None)
