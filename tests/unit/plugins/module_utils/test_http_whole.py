# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An answer counts only when it came whole, whatever it says of itself."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted_server import Reply

from ansible_collections.secops.remediation.plugins.module_utils._http import client as http_utils
from ansible_collections.secops.remediation.plugins.module_utils._http.answers import load_json
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError

CONTENT = b"Name,State\n" + b"".join(b"Mary %d,REMEDIATED\n" % number for number in range(5000))
CHUNKED = ("Transfer-Encoding: chunked",)
JSON = b'{"status": "COMPLETED", "more": [' + b"1, " * 500 + b"2]}"


def wire(body, *headers, status="200 OK", version="1.1"):
    """An answer as it goes over the wire."""
    lines = ["HTTP/%s %s" % (version, status), "Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def in_chunks(body, end=b"0\r\n\r\n", size=700):
    """A body in chunks."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


def flushed(body, wbits):
    """A compressed body that was cut where the compressor had flushed."""
    packer = zlib.compressobj(wbits=wbits)
    return packer.compress(body[: len(body) // 2]) + packer.flush(zlib.Z_SYNC_FLUSH)


def members(*parts):
    """Several gzip members in a row."""
    return b"".join(gzip.compress(part) for part in parts)


def damaged(data):
    """The data with another byte near its end."""
    return data[:-6] + bytes([data[-6] ^ 255]) + data[-5:]


def length(data):
    """The header that tells how long it is."""
    return "Content-Length: %d" % len(data)


def packed(data, encoding="gzip"):
    """A packed body whose length is right."""
    return wire(data, length(data), "Content-Encoding: %s" % encoding)


def broken(body):
    """By name, answers with a body of which not all came, or of which nobody can tell."""
    half = body[: len(body) // 2]
    chunked = "Transfer-Encoding: chunked"
    return {
        "gzip-cut-at-flush": packed(flushed(body, 31)),
        "zlib-cut-at-flush": packed(flushed(body, 15), "deflate"),
        "deflate-cut-at-flush": packed(flushed(body, -15), "deflate"),
        "gzip-without-trailer": packed(gzip.compress(body)[:-8]),
        "gzip-wrong-checksum": packed(damaged(gzip.compress(body))),
        "gzip-second-member-damaged": packed(members(half) + damaged(gzip.compress(body[len(half) :]))),
        "gzip-second-member-cut": packed(members(half) + flushed(body[len(half) :], 31)),
        "gzip-then-garbage": packed(members(half) + b"garbage"),
        "gzip-that-is-none": packed(half),
        "gzip-of-nothing": packed(b""),
        "gzip-in-chunks-cut-at-flush": wire(in_chunks(flushed(body, 31)), chunked, "Content-Encoding: gzip"),
        "gzip-until-the-end-cut-at-flush": wire(flushed(body, 31), "Content-Encoding: gzip"),
        "encoded-twice": packed(gzip.compress(gzip.compress(body)), "gzip, gzip"),
        "brotli": packed(body, "br"),
        "length-negative": wire(half, "Content-Length: -1"),
        "length-word": wire(half, "Content-Length: abc"),
        "length-empty": wire(half, "Content-Length:"),
        "length-signed": wire(half, "Content-Length: +%d" % len(half)),
        "length-hex": wire(half, "Content-Length: 0x%x" % len(half)),
        "length-fraction": wire(half, "Content-Length: %d.0" % len(half)),
        "length-5000-digits": wire(half, "Content-Length: " + "9" * 5000),
        "length-zeros-and-5000-digits": wire(half, "Content-Length: %05000d" % len(half)),
        "lengths-differ": wire(half, length(half), length(body)),
        "lengths-differ-in-one-line": wire(half, "Content-Length: %d, %d" % (len(half), len(body))),
        "length-too-long": wire(half, length(body)),
        "length-and-chunks": wire(in_chunks(half), chunked, length(half)),
        "length-and-transfer": wire(half, "Transfer-Encoding: identity", length(half)),
        "chunks-without-the-last": wire(in_chunks(half, end=b""), chunked),
        "chunks-cut-in-a-size": wire(in_chunks(half, end=b"0"), chunked),
        "chunks-cut-in-a-size-with-zeros": wire(in_chunks(half, end=b"00"), chunked),
        "chunks-cut-after-a-size": wire(in_chunks(half, end=b"5\r\n"), chunked),
        "chunks-cut-in-one": wire(in_chunks(half, end=b"5\r\nab"), chunked),
        "chunks-cut-in-the-trailers": wire(in_chunks(half, end=b"0\r\nX-Sum: 1\r\n"), chunked),
        "chunks-negative-zero": wire(in_chunks(half, end=b"-0\r\n\r\n"), chunked),
        "chunks-negative": wire(in_chunks(half, end=b"-1\r\n\r\n"), chunked),
        "chunks-0x0": wire(in_chunks(half, end=b"0x0\r\n\r\n"), chunked),
        "chunks-0_0": wire(in_chunks(half, end=b"0_0\r\n\r\n"), chunked),
        "chunks-empty-size": wire(in_chunks(half, end=b"\r\n\r\n"), chunked),
        "chunks-of-5000-digits": wire(in_chunks(half, end=b"0" * 5000 + b"\r\n\r\n"), chunked),
        "chunks-endless-size": wire(in_chunks(half, end=b"0" * 200_000), chunked),
        "transfer-gzip-chunked": wire(in_chunks(flushed(body, 31)), "Transfer-Encoding: gzip, chunked"),
        "transfer-chunked-twice": wire(in_chunks(half), chunked, chunked),
        "transfer-unknown": wire(half, "Transfer-Encoding: xchunked"),
        "transfer-empty": wire(half, "Transfer-Encoding:"),
        "transfer-over-1.0": wire(in_chunks(half), chunked, version="1.0"),
        "headers-cut-in-a-line": wire(b"", "Content-Len")[:-4],
        "headers-cut-after-a-line": wire(b"", "X-Last: 1")[:-2],
        "status-cut": b"HTTP/1.1 200",
        "status-cut-in-words": b"HTTP/1.1 200 O",
        "nothing": b"",
    }


ODD_JSON = [
    '{"a": 1, "a": 2}',
    '{"b": {"a": 1, "x": [], "a": 1}}',
    '[{"\\u0061": 1, "a": 2}]',
    '{"a": NaN}',
    "[Infinity]",
    "[-Infinity]",
    "[1e999]",
    "[-1e400]",
    "[%s]" % ("9" * 5000),
    "[1",
    "[1]]",
    "[1] 2",
    "",
]


class TestDownloads:
    @pytest.mark.parametrize("how", broken(CONTENT))
    def test_a_file_that_is_not_whole_is_none(self, server, make_client, how):
        server.on("GET", "/f", Reply(raw=broken(CONTENT)[how]))
        with pytest.raises(HttpError) as caught:
            make_client(retry_timeout=0).download("/f", {}, "text/csv", io.BytesIO())
        assert caught.value.passing, str(caught.value)

    def test_a_file_that_only_the_end_of_the_connection_ends(self, server, make_client):
        server.on("GET", "/f", Reply(raw=wire(CONTENT)))
        with pytest.raises(HttpError, match="does not say how long it is"):
            make_client(retry_timeout=0).download("/f", {}, "text/csv", io.BytesIO())

    @pytest.mark.parametrize(
        "answer",
        [
            wire(CONTENT, length(CONTENT)),
            wire(CONTENT, length(CONTENT), length(CONTENT)),
            wire(CONTENT, "Content-Length:  %d " % len(CONTENT), "Content-Encoding: identity"),
            wire(in_chunks(CONTENT), "Transfer-Encoding: Chunked"),
            wire(in_chunks(CONTENT, end=b"000;why=not\r\nX-Sum: 1\r\n\r\n"), "Transfer-Encoding: chunked"),
            packed(gzip.compress(CONTENT)),
            packed(members(CONTENT[:99], b"", CONTENT[99:]), "x-gzip"),
            wire(in_chunks(members(CONTENT[:9000], CONTENT[9000:]), size=7), *CHUNKED, "Content-Encoding: gzip"),
        ],
    )
    def test_a_file_that_is_whole(self, server, client, answer):
        server.expect("GET", "/f", Reply(raw=answer))
        target, record = io.BytesIO(), []
        _answer, sha256 = client.download("/f", {"a": "b"}, "text/csv", target, record)
        assert target.getvalue() == CONTENT
        assert sha256 == hashlib.sha256(CONTENT).hexdigest()
        assert server.requests[0].headers["Accept-Encoding"] == "identity"
        assert record == [
            dict(
                method="GET",
                path="/f?a=b",
                status=200,
                reference=None,
                server_time=None,
                sent=None,
                body=None,
                sha256=sha256,
                size=len(CONTENT),
            )
        ]

    @pytest.mark.parametrize("pieces", [dict(), dict(chunked=True), dict(compress=True), dict(compress=True, chunked=True)])
    def test_a_gigantic_file(self, server, client, monkeypatch, pieces):
        monkeypatch.setattr(http_utils, "LARGEST_DOWNLOAD", 100_000)
        server.expect("GET", "/f", Reply(body=b"x" * 5_000_000, **pieces))
        target = io.BytesIO()
        with pytest.raises(HttpError, match="the answer is larger than 100000 bytes") as caught:
            client.download("/f", {}, "text/csv", target)
        assert len(target.getvalue()) <= 100_000
        # It will not be smaller another time.
        assert not caught.value.passing

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(cut=st.integers(0, 40), pack=st.booleans(), chunked=st.booleans())
    def test_cut_anywhere(self, server, make_client, cut, pack, chunked):
        """The last bytes are the ones that are easily lost without anybody noticing."""
        body = gzip.compress(CONTENT) if pack else CONTENT
        headers = ["Content-Encoding: gzip"] if pack else []
        whole = wire(in_chunks(body), "Transfer-Encoding: chunked", *headers) if chunked else wire(body, length(body), *headers)
        server.on("GET", "/f", Reply(raw=whole[: len(whole) - cut]))
        client, target = make_client(retry_timeout=0), io.BytesIO()
        if cut == 0:
            client.download("/f", {}, "text/csv", target)
            assert target.getvalue() == CONTENT
        else:
            with pytest.raises(HttpError):
                client.download("/f", {}, "text/csv", target)


class TestJson:
    @pytest.mark.parametrize("how", broken(JSON))
    def test_an_answer_that_is_not_whole_is_none(self, server, make_client, how):
        server.on("GET", "/x", Reply(raw=broken(JSON)[how]))
        with pytest.raises(HttpError) as caught:
            make_client(retry_timeout=0).request("GET", "/x")
        assert caught.value.passing, str(caught.value)

    @pytest.mark.parametrize("how", broken(JSON))
    def test_an_acceptance_that_is_not_whole_is_uncertain(self, server, make_client, how):
        """Of an answer that only has to have a status, too: what got lost may have said that it is none."""
        server.on("POST", "/run", Reply(raw=broken(JSON)[how].replace(b"1.1 200", b"1.1 202")))
        with pytest.raises(HttpError) as caught:
            make_client(retry_timeout=0).request("POST", "/run", needs_body=False)
        assert caught.value.uncertain and caught.value.passing

    def test_an_acceptance_that_only_the_end_of_the_connection_ends(self, server, make_client):
        server.on("POST", "/run", Reply(raw=wire(b"", status="202 Accepted")))
        with pytest.raises(HttpError, match="does not say how long it is") as caught:
            make_client(retry_timeout=0).request("POST", "/run", needs_body=False)
        assert caught.value.uncertain

    @pytest.mark.parametrize("answer", [wire(b"", status="204 None"), wire(b"", "Content-Length: 0", status="202 Yes")])
    def test_an_acceptance(self, server, client, answer):
        server.expect("POST", "/run", Reply(raw=answer))
        assert client.request("POST", "/run", needs_body=False).body is None

    def test_an_acceptance_with_words(self, server, client):
        server.expect("POST", "/run", Reply(202, json={"detailCode": "400.2.0"}))
        assert client.request("POST", "/run", needs_body=False).body == {"detailCode": "400.2.0"}

    def test_json_knows_its_own_end(self, server, make_client):
        client = make_client(retry_timeout=0)
        server.expect("GET", "/x", Reply(raw=wire(b'{"a": [1]}')), Reply(raw=wire(b'{"a": [1]')), Reply(raw=wire(b"12")))
        assert client.request("GET", "/x").body == {"a": [1]}
        for _time in range(2):
            with pytest.raises(HttpError) as caught:
                client.request("GET", "/x")
            assert caught.value.passing

    @pytest.mark.parametrize("text", ODD_JSON)
    def test_json_that_is_none(self, server, client, text):
        server.expect("GET", "/x", Reply(body=text))
        with pytest.raises(HttpError) as caught:
            client.request("GET", "/x")
        assert caught.value.passing

    def test_half_a_character(self):
        """No file and no terminal takes it, and all the rest of the answer would be lost with it."""
        for text in ('{"\\ud800": ["\\uDC00", "a\\udfffb"]}', '["\\udbff"]'):
            str(load_json(text)).encode()
        assert load_json('["\\ud83d\\ude00"]') == ["\U0001f600"]

    @pytest.mark.parametrize("name", ["Retry-After", "Date", "Age", "Content-Length", "X-Total-Count", "Set-Cookie"])
    @pytest.mark.parametrize("status", [200, 202, 404, 503])
    def test_headers_of_5000_digits(self, server, make_client, name, status):
        server.on("GET", "/x", Reply(raw=wire(b"{}", "%s: %s" % (name, "7" * 5000), status="%d Status" % status)))
        try:
            assert make_client(retry_timeout=0).request("GET", "/x").body == {}
        except HttpError as error:
            assert error.status in (None, status)
        else:
            assert status < 300 and name not in ("Content-Length", "Age")

    @pytest.mark.parametrize(
        "headers",
        [
            {"Age": "7200"},
            {"Age": "1"},
            {"Age": "0, 7200"},
            {"Age": "7" * 5000},
            {"Warning": '110 - "Response is Stale"'},
            {"Warning": '199 - "x", 111 proxy "Revalidation Failed"'},
            {"Warning": "113 - x", "Age": "0"},
        ],
    )
    def test_a_memory_is_no_answer(self, server, make_client, headers):
        """However often it is told not to, a cache may answer in the API's place."""
        server.on("GET", "/x", Reply(json={"a": 1}, headers=headers))
        server.on("POST", "/x", Reply(202, json={}, headers=headers))
        client = make_client(retry_timeout=0)
        for ask in (
            lambda: client.request("GET", "/x"),
            lambda: client.download("/x", {}, "*/*", io.BytesIO()),
            lambda: client.request("POST", "/x", needs_body=False),
        ):
            with pytest.raises(HttpError, match="comes from a cache") as caught:
                ask()
            assert caught.value.passing and len(str(caught.value)) < 400
        assert caught.value.uncertain

    @pytest.mark.parametrize(
        "headers",
        [
            {"Age": "0"},
            {"Age": "000"},
            {"Age": ""},
            {"Warning": '299 - "version 110 is deprecated"'},
            {"Warning": "214 110 x"},
        ],
    )
    def test_an_answer_that_was_made_now(self, server, client, headers):
        server.on("GET", "/x", Reply(json={"a": 1}, headers=headers))
        assert client.request("GET", "/x").body == {"a": 1}

    def test_an_error_out_of_a_cache_says_what_it_says(self, server, client):
        server.on("GET", "/x", Reply(403, json={"text": "not you"}, headers={"Age": "7200"}))
        with pytest.raises(HttpError, match="not you"):
            client.request("GET", "/x")

    def test_a_part_is_no_answer(self, server, make_client):
        server.on("GET", "/x", Reply(206, json={"a": 1}))
        with pytest.raises(HttpError, match="only a part"):
            make_client(retry_timeout=0).request("GET", "/x")

    def test_no_cache_may_answer(self, server, client):
        server.expect("GET", "/x", Reply(json=1))
        client.request("GET", "/x")
        assert server.requests[0].headers["Cache-Control"] == "no-cache"

    def test_a_status_of_5000_digits(self, server, make_client):
        server.on("GET", "/x", Reply(raw=b"HTTP/1.1 " + b"2" * 5000 + b" OK\r\n\r\n{}"))
        with pytest.raises(HttpError):
            make_client(retry_timeout=0).request("GET", "/x")


class TestErrorsInOtherDialects:
    @pytest.mark.parametrize(
        "body, words",
        [
            ({"type": "about:blank", "title": "Quota exceeded", "detail": "Ask the gateway team"}, "Ask the gateway team"),
            ({"fault": {"faultstring": "Invalid ApiKey"}}, "Invalid ApiKey"),
            (["over", "there"], '["over", "there"]'),
            ("blocked by policy", "blocked by policy"),
            ({"nested": {"deep": ["gesperrt für alle"]}}, "gesperrt für alle"),
        ],
    )
    def test_it_is_shown(self, server, client, body, words):
        server.expect("GET", "/x", Reply(403, json=body))
        with pytest.raises(HttpError) as caught:
            client.request("GET", "/x")
        assert words in str(caught.value) and caught.value.status == 403

    def test_not_all_of_it_and_no_secret(self, server, client):
        server.expect("GET", "/x", Reply(403, json={"a": "abc.def-ghi" + "y" * 5000}))
        with pytest.raises(HttpError) as caught:
            client.request("GET", "/x")
        assert len(str(caught.value)) < 500 and "def-ghi" not in str(caught.value)


class TestRecords:
    def test_what_was_asked_and_answered(self, server, client):
        record = []
        server.expect("POST", "/x", Reply(json={"id": 1, "echo": "abc.def-ghi"}, headers={"Date": None}))
        server.expect("GET", "/x", Reply(404, json={"text": "no", "reference": "r"}, headers={"Date": None}))
        server.expect("GET", "/x", Reply(404, "plain", headers={"Date": None}))
        client.request("POST", "/x", json={"token": "abc.def-ghi", "n": [1]}, record=record)
        for _time in range(2):
            with pytest.raises(HttpError):
                client.request("GET", "/x", params={"q": "abc.def-ghi"}, record=record)
        masked = "********"
        assert record == [
            dict(
                method="POST",
                path="/x",
                status=200,
                reference=None,
                server_time=None,
                sent={"token": masked, "n": [1]},
                body={"id": 1, "echo": masked},
            ),
            dict(
                method="GET",
                path="/x?q=" + masked,
                status=404,
                reference="r",
                server_time=None,
                sent=None,
                body={"text": "no", "reference": "r"},
            ),
            dict(method="GET", path="/x?q=" + masked, status=404, reference=None, server_time=None, sent=None, body=None),
        ]
