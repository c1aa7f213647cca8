# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP for the collection: one pool of connections, one limiter, one set of rules. It knows no vendor.

Private to the collection. Other rooms import what they need of this one from here.
"""

from __future__ import annotations

import hashlib
import http.cookiejar
import json
import os
import random
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, BinaryIO, NoReturn, Protocol
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

from ansible_collections.secops.remediation.plugins.module_utils._common.redaction import proxy_secrets, redact, redact_json
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Exchange, Params, Record
from ansible_collections.secops.remediation.plugins.module_utils._http.answers import (
    LARGEST_DOWNLOAD,
    LARGEST_JSON_BODY,
    Answer,
    describe_text,
    framing_of,
    http_date,
    load_json,
    make_answer,
    only_200,
    read_error,
    read_whole,
    refuse_memory,
    retry_after,
)
from ansible_collections.secops.remediation.plugins.module_utils._http.breaker import Breaker
from ansible_collections.secops.remediation.plugins.module_utils._http.errors import (
    PASSING_STATUSES,
    PROXY_HINT,
    ApiError,
    BadConnectionOption,
    BrokenOff,
    HttpError,
    Unreadable,
    WouldChange,
    describe_connection_error,
    is_final,
)
from ansible_collections.secops.remediation.plugins.module_utils._http.limiter import Limiter, TooLate
from ansible_collections.secops.remediation.plugins.module_utils._http.options import (
    CONNECTION_OPTIONS,
    LEAST_VALUES,
    check_base_url,
    check_bundle,
    check_environment,
    from_environment,
    is_below,
    origin,
)
from ansible_collections.secops.remediation.plugins.module_utils._http.transport import (
    EXCHANGE,
    REQUESTS_IMPORT_ERROR,
    TimedAdapter,
    requests,
    urllib3,
)

__all__ = [
    "CONNECTION_OPTIONS",
    "REQUESTS_IMPORT_ERROR",
    "Answer",
    "ApiError",
    "BadConnectionOption",
    "HeaderAuth",
    "HttpClient",
    "HttpError",
    "Limiter",
    "NoAuthentication",
    "WouldChange",
    "from_environment",
    "only_200",
]

REDIRECT_STATUSES = (301, 302, 307, 308)
MOST_REDIRECTS = 3
# Bytes a second. A download may take longer than request_timeout, but not for ever.
LEAST_DOWNLOAD_RATE = 16 * 1024
# Of an error body that nobody knows how to read.
MOST_SHOWN = 300


class HeaderAuth:
    """Puts headers on a request. Being an auth object of its own keeps ~/.netrc from replacing them."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self.headers)
        return request


class Authentication(Protocol):
    """What makes the headers of each attempt anew, and knows the texts that must never be shown."""

    @property
    def secrets(self) -> Collection[str]:
        """The texts that must never be shown. More may be added at any time."""

    def headers(self) -> dict[str, str]:
        """The headers of one attempt. Raises HttpError."""

    def renew(self, used_headers: Mapping[str, str]) -> bool:
        """After a 401: whether another attempt makes sense."""


class NoAuthentication:
    """For requests that carry their credentials in the body. secrets: those."""

    secrets: Collection[str] = ()

    def headers(self) -> dict[str, str]:
        """The headers of one attempt."""
        return {}

    def renew(self, used_headers: Mapping[str, str]) -> bool:
        """After a 401: False, there is nothing that could be renewed."""
        return False


def explain_store(status: int, body: object) -> ApiError:
    """What is said of an error of a file store: not its own words, which quote what was signed."""
    return ApiError(None, "the file store did not give the file")


def hint_store(status: int, error: ApiError) -> str:
    """What to do about an error of a file store."""
    return "A signed address is good for a short time only: run it again."


class Call:
    """One request, with all its attempts.

    content: `params`, `json` or `data`, as requests takes them. changes: whether it may change something. repeatable:
    whether it may be sent again when the server may have carried it out. shared: whether others depend on it.
    """

    def __init__(self, method: str, path: str, content: dict[str, Any], changes: bool, repeatable: bool, shared: bool) -> None:
        self.method = method
        self.path = path
        self.content = content
        self.changes = changes
        self.repeatable = repeatable
        self.shared = shared
        self.began = time.monotonic()
        self.attempt = 0
        self.slot = 0.0
        self.probes = False
        # Whether the last attempt may have been carried out.
        self.uncertain = False
        # The same for the same request, however often it is made.
        self.what = hash((method, path, repr(content)))

    def error(self, problem: str, **facts: Any) -> HttpError:
        """The HttpError of this request."""
        return HttpError(self.method, self.path, problem, **facts)


class Reader(Protocol):
    """Reads an answer that came to a call: the Answer, and what is kept of it."""

    def __call__(self, call: Call, response: requests.Response, /) -> tuple[Answer, Exchange]:
        """May raise HttpError, and the exceptions of requests and urllib3."""


class HttpClient:
    """Sends requests to what is below one URL by the rules of the collection.

    base_url: https://host[/path]; http:// only to a loopback address.
    options: dict with validate_certs, ca_path, use_proxy, request_timeout and retry_timeout (seconds),
        concurrency, rate_limit (requests in 10 s, 0 for none).
    authentication: see Authentication.
    explain: function (status, JSON value or None) -> ApiError, in the API's dialect.
    hint: function (status, ApiError) -> text on what to do next, or None.
    read_only_posts: paths of POST requests that change nothing and so are sent in check mode, too.
    headers: what every request of this client carries besides.

    ends_at: a moment of time.monotonic() that no exchange, retry, or pause goes past, or None. May be set at any time.

    Raises BadConnectionOption.
    """

    def __init__(
        self,
        base_url: str,
        options: Params,
        authentication: Authentication,
        explain: Callable[[int, object], ApiError],
        hint: Callable[[int, ApiError], str | None],
        check_mode: bool = False,
        read_only_posts: Iterable[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.base_url = check_base_url(base_url)
        for name, least in LEAST_VALUES.items():
            if options[name] < least:
                raise BadConnectionOption("%s is %d and must be at least %d" % (name, options[name], least))
        self.authentication = authentication
        self.check_mode = check_mode
        self.limiter = Limiter(options["rate_limit"])
        self.ends_at: float | None = None
        self._breaker = Breaker(options["retry_timeout"], self.limiter.wake)
        self._explain = explain
        self._hint = hint
        self._read_only_posts = {path.rstrip("/") for path in read_only_posts}
        self._options = dict(options)
        self._most_redirects = MOST_REDIRECTS
        self._stores: dict[tuple[str, str | None, int | None], HttpClient] = {}
        self._stores_lock = threading.Lock()
        self._request_timeout = options["request_timeout"]
        self._retry_timeout = options["retry_timeout"]
        self._proxy_secrets = proxy_secrets(os.environ)
        self._verify = options["validate_certs"]
        if self._verify and options["ca_path"]:
            if not os.path.exists(options["ca_path"]):
                raise BadConnectionOption("ca_path %r does not exist" % options["ca_path"])
            check_bundle(options["ca_path"], "ca_path")
            self._verify = options["ca_path"]
        elif self.base_url.lower().startswith("https:"):
            check_environment(self._verify, options["use_proxy"])
        if not self._verify:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._session = requests.Session()
        self._session.trust_env = options["use_proxy"]
        # Even told not to follow a redirect, requests looks where it goes, and stumbles over odd addresses.
        self._session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]  # There is no option for it.
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        # What is not packed cannot be cut off without its length telling.
        self._session.headers["Accept-Encoding"] = "identity"
        # A cache on the way remembers, and a memory proves nothing.
        self._session.headers["Cache-Control"] = "no-cache"
        self._session.headers.update(headers or {})
        adapter = TimedAdapter(pool_connections=1, pool_maxsize=options["concurrency"], pool_block=True)
        # Whatever is sent to, there is no way around its deadline.
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, adapter)

    def stop(self) -> None:
        """Ends every wait of every thread."""
        self.limiter.stop()
        with self._stores_lock:
            for store in self._stores.values():
                store.stop()

    def request(
        self,
        method: str,
        path: str,
        repeatable: bool | None = None,
        authentication: Authentication | None = None,
        needs_body: bool = True,
        record: Record | None = None,
        **content: Any,
    ) -> Answer:
        """Sends one request and returns its Answer with a JSON body.

        repeatable: whether it may be sent again when the server may have carried it out already
        (default: if it changes nothing). authentication: another one than the client's, for a request on which the
        others depend. needs_body: False where the status says it all; then an empty body is None.
        record: an object with append(exchange), see _record. content: `params`, `json` or `data`.
        Raises HttpError, and WouldChange in check mode.
        """

        def read(call: Call, response: requests.Response) -> tuple[Answer, Exchange]:
            # A login page comes with a good status, too, and no API answers in HTML.
            is_page = "html" in response.headers.get("Content-Type", "").lower()
            body = self._read_json(call, response, needs_body or is_page)
            return make_answer(response, body), {"body": body}

        return self._send(method, path, repeatable, authentication, read, {"Accept": "application/json"}, content, record)

    def download(
        self, path: str, params: Mapping[str, str], accept: str, target: BinaryIO, record: Record | None = None
    ) -> tuple[Answer, str]:
        """Streams a body into `target`, a binary file, from its start. Returns (Answer, SHA-256 as hex).

        It may take longer than request_timeout as long as LEAST_DOWNLOAD_RATE comes, and hold LARGEST_DOWNLOAD bytes.
        Raises HttpError.
        """
        digests = []

        def read(call: Call, response: requests.Response) -> tuple[Answer, Exchange]:
            digest, size = self._read_file(call, response, target)
            digests.append(digest)
            return make_answer(response), {"body": None, "sha256": digest, "size": size}

        answer = self._send("GET", path, True, None, read, {"Accept": accept}, {"params": params}, record)
        return answer, digests[-1]

    def download_signed(self, url: str, shown: str, accept: str, target: BinaryIO) -> tuple[Answer, str, int]:
        """As download, from an address that an API has signed, at whatever host. Returns (Answer, SHA-256 as hex, bytes).

        Nothing that is for the API goes there: no credentials, no header, no cookie. No redirect is followed. https only, and
        http on a loopback address where the API itself is on one. The address is as good as a password while it lasts, so
        `shown` stands for it in errors, and nothing of it is on record. Raises HttpError.
        """
        try:
            store = self._store_of(url)
        except ValueError:
            raise HttpError("GET", shown, "the signed address is none that a file may be fetched from: https only") from None
        store.ends_at = self.ends_at
        parts = urlsplit(url)
        path = parts.path + ("?" + parts.query if parts.query else "")
        found: list[Exchange] = []
        try:
            answer, sha256 = store.download(path, {}, accept, target, found)
        except HttpError as error:
            error.path, error.code, error.reference = shown, None, None
            error.args = (error.method, shown, error.problem)
            raise error from None
        return answer, sha256, int(found[-1]["size"])

    def _store_of(self, url: str) -> HttpClient:
        """The client for the host of a signed address. Raises ValueError where that is none that may be asked."""
        parts = urlsplit(url)
        where = origin(url)
        if parts.scheme != "https" and not self.base_url.lower().startswith("http:"):
            raise ValueError("not encrypted")
        with self._stores_lock:
            if where not in self._stores:
                options = dict(self._options, rate_limit=0)
                address = "%s://%s" % (parts.scheme, parts.netloc)
                store = HttpClient(address, options, NoAuthentication(), explain_store, hint_store)
                store._most_redirects = 0
                self._stores[where] = store
            return self._stores[where]

    def _changes(self, method: str, path: str) -> bool:
        return method not in ("GET", "HEAD") and path.rstrip("/") not in self._read_only_posts

    def _send(
        self,
        method: str,
        path: str,
        repeatable: bool | None,
        authentication: Authentication | None,
        read: Reader,
        headers: Mapping[str, str],
        content: dict[str, Any],
        record: Record | None,
    ) -> Answer:
        changes = self._changes(method, path)
        if changes and self.check_mode:
            raise WouldChange(method, path)
        call = Call(method, path, content, changes, not changes if repeatable is None else repeatable, authentication is not None)
        try:
            return self._attempt_until_done(call, authentication or self.authentication, read, headers, record)
        finally:
            if call.probes:
                self._breaker.leave()

    def _attempt_until_done(
        self, call: Call, authentication: Authentication, read: Reader, headers: Mapping[str, str], record: Record | None
    ) -> Answer:
        url, content = self.base_url + call.path, call.content
        redirects, renewed = 0, False
        while True:
            call.attempt += 1
            auth_headers = self._wait_for_turn(call, authentication)
            try:
                with self._open(call, url, auth_headers, headers, content) as response:
                    self.limiter.arrived(call.slot)
                    if response.status_code < 300:
                        answer, facts = read(call, response)
                        self._breaker.good()
                        self._record(record, call, response, facts)
                        return answer
                    error_body, error_text = read_error(response)
            except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, BrokenOff) as error:
                self._after_broken(call, error)
                continue

            status = response.status_code
            if status < 500 and status not in (407, 429):
                self._breaker.good()
            if status in REDIRECT_STATUSES and redirects < self._most_redirects:
                redirects += 1
                url = self._redirected(call, url, response)
                # The new address is a whole one, with its own query.
                content = dict(content, params=None)
                continue
            if status == 401 and not renewed and authentication.renew(auth_headers):
                renewed = True
                continue
            failure = self._answer_error(call, response, error_body, error_text)
            self._record(record, call, response, {"body": error_body, "reference": failure.reference})
            self._after_error_status(call, response, failure)

    def _wait_for_turn(self, call: Call, authentication: Authentication) -> dict[str, str]:
        """The headers that authenticate one attempt, once it may leave. Raises HttpError."""

        def look() -> None:
            self._end_if(call, self._breaker.reason())

        # Otherwise 5,000 would wait for the limiter in order to learn that nobody can send.
        if not call.probes:
            look()
        try:
            call.slot = self.limiter.acquire(self._limit(), look)
        except TooLate:
            raise call.error(
                "wait_timeout is over before rate_limit allows another request", passing=True, uncertain=call.uncertain
            ) from None
        # Only now: a signature is made with the time, and the limiter may have held this thread for long.
        auth_headers = authentication.headers()
        if not call.probes:
            reason, call.probes = self._breaker.enter()
            self._end_if(call, reason)
        if time.monotonic() >= self._limit():
            raise call.error("wait_timeout is over", passing=True, uncertain=call.uncertain)
        return auth_headers

    def _limit(self) -> float:
        return float("inf") if self.ends_at is None else self.ends_at

    @staticmethod
    def _end_if(call: Call, reason: HttpError | None) -> None:
        if reason is not None:
            raise call.error(
                "the API did not answer, see %s %s: %s" % (reason.method, reason.path, reason.problem),
                hint=reason.hint,
                passing=True,
                uncertain=call.uncertain,
            )

    def _open(
        self, call: Call, url: str, auth_headers: Mapping[str, str], headers: Mapping[str, str], content: dict[str, Any]
    ) -> requests.Response:
        EXCHANGE.begin(self._request_timeout, self._limit())
        seconds = max(0.001, EXCHANGE.ends_at - time.monotonic())
        try:
            return self._session.request(
                call.method,
                url,
                auth=HeaderAuth(auth_headers),
                headers=headers,
                verify=self._verify,
                stream=True,
                timeout=seconds,
                allow_redirects=False,
                **content,
            )
        except (requests.exceptions.RequestException, InterruptedError):
            raise
        except ValueError:
            # Its text may hold the header.
            raise call.error(
                "a character of the URL or of the credentials cannot be sent",
                hint="Check the credentials, base_url and the proxy for what does not belong there. " + PROXY_HINT,
            ) from None
        except OSError as error:
            raise call.error(
                self._redact("nothing could be sent (%s)" % error),
                hint="Check ca_path, and REQUESTS_CA_BUNDLE in the environment.",
            ) from None
        except Exception as error:  # pylint: disable=broad-exception-caught
            # What the libraries make of an odd proxy differs from version to version.
            raise call.error(
                "nothing could be sent (%s)" % type(error).__name__, hint="Check base_url and the credentials. " + PROXY_HINT
            ) from None

    def _after_broken(self, call: Call, error: Exception) -> None:
        """Returns after a pause if the request may be sent again. Raises HttpError."""
        final = is_final(error)
        problem, hint, uncertain = describe_connection_error(error, self.base_url, self._request_timeout)
        if not final and time.monotonic() >= self._limit():
            problem, hint = "no answer before wait_timeout was over", "Raise wait_timeout, or lower request_timeout."
        elif EXCHANGE.is_too_slow():
            problem, hint = "the file came more slowly than %d bytes a second" % LEAST_DOWNLOAD_RATE, None
        call.uncertain = uncertain and call.changes
        failure = call.error(self._redact(problem), hint=hint, uncertain=call.uncertain, passing=not final)
        self._end_if_away(call, failure)
        if final or call.probes or (call.uncertain and not call.repeatable):
            raise failure from None
        self.limiter.wait(self._bounded(None, call, failure))

    def _after_error_status(self, call: Call, response: requests.Response, failure: HttpError) -> None:
        """Returns after a pause if the request may be sent again. Raises HttpError."""
        status = response.status_code
        # A 500 with a code of its own is the API's answer to this very request.
        failure.passing = status in PASSING_STATUSES or (status == 500 and not call.changes and "500" in (failure.code or "500"))
        call.uncertain = failure.uncertain = call.changes and not call.repeatable and status >= 500
        if not failure.passing:
            raise failure
        asked = retry_after(response.headers)
        self._end_if_away(call, failure, asked or 0.0)
        if call.probes or (status != 429 and not call.repeatable):
            raise failure
        seconds = self._bounded(asked, call, failure)
        if status == 429 or asked is not None:
            self.limiter.pause(seconds, refused=status == 429)
        else:
            self.limiter.wait(seconds)

    def _end_if_away(self, call: Call, failure: HttpError, pause: float = 0.0) -> None:
        """Tells the breaker of a failure. Raises HttpError where it is not this request alone that fails."""
        if not failure.passing:
            return
        reason = self._breaker.failed(call.what, call.began, failure, call.shared, pause)
        # Who opened it and who probed have found out by themselves.
        if reason is not None and (reason is failure or call.probes):
            raise failure from None
        self._end_if(call, reason)

    def _bounded(self, asked: float | None, call: Call, failure: HttpError) -> float:
        """The seconds to wait before the next attempt. Raises the failure where that is too late."""
        # A Retry-After of 0 is no leave to hammer.
        seconds = asked or min(30.0, 0.5 * 2 ** min(call.attempt - 1, 10)) * random.uniform(0.5, 1.0)
        now = time.monotonic()
        why = None
        if now + seconds > call.began + self._retry_timeout:
            why = "retry_timeout is %d s" % self._retry_timeout
        elif now + seconds > self._limit():
            why = "wait_timeout is over by then"
        if why:
            gave_up = "Gave up after %d attempt%s: the next one would be in %.0f s, and %s." % (
                call.attempt,
                "" if call.attempt == 1 else "s",
                seconds,
                why,
            )
            failure.hint = "%s %s" % (gave_up, failure.hint) if failure.hint else gave_up
            raise failure from None
        return seconds

    def _redirected(self, call: Call, url: str, response: requests.Response) -> str:
        """The URL to which an answer redirects. Raises HttpError where that is not below base_url."""
        try:
            target = urljoin(url, response.headers.get("Location", ""))
            # Another path may be another campaign's. What is known to be redirected is a slash at the end.
            paths = {unquote(urlsplit(each).path).rstrip("/") for each in (url, target)}
            if is_below(self.base_url, target) and len(paths) == 1:
                return target
            where, host, port = origin(target)
            where = "%s://%s:%s" % (where, host, port) if host else "something that is no URL"
            if origin(target) == origin(self.base_url):
                where = "%s, which is another resource, or not below base_url" % self._redact(
                    where + urlsplit(target).path.split(";")[0][:MOST_SHOWN], response
                )
        except ValueError:
            where = "something that is no URL"
        raise call.error(
            "HTTP %d redirects to %s" % (response.status_code, where),
            status=response.status_code,
            hint="Credentials are never sent to another address than the one that was configured. "
            "If the new address is right, set base_url to it.",
        )

    def _answer_error(self, call: Call, response: requests.Response, body: object, text: str) -> HttpError:
        status = response.status_code
        said = self._explain(status, body)
        problem = "HTTP %d" % status
        if said.code and str(said.code) != str(status):
            problem += ", %s" % said.code
        if said.text:
            problem += ": %s" % said.text.strip().rstrip(".")
        elif body is None:
            problem += ", %s" % describe_text(self._redact(text, response))
        elif body and not said.code:
            # Another dialect than the API's, say a gateway's, is better than nothing.
            problem += ", the body is %s" % self._redact(json.dumps(body, ensure_ascii=False), response)[:MOST_SHOWN]
        code = self._redact(said.code, response) if said.code else None
        return call.error(
            self._redact(problem, response),
            status=status,
            code=code,
            reference=self._redact(said.reference, response) if said.reference else None,
            hint=PROXY_HINT if status == 407 else self._hint(status, said),
        )

    def _read_json(self, call: Call, response: requests.Response, needed: bool) -> object:
        """The JSON value of a body; where none is needed, None for an empty one. Raises HttpError."""
        try:
            refuse_memory(response)
            # What a status alone says is sure only if all of the answer came. Of JSON the parser knows the end.
            text = b"".join(read_whole(response, LARGEST_JSON_BODY, framed=not needed)).decode("utf-8", "replace")
            body = load_json(text)
            if needed and not isinstance(body, (dict, list)) and framing_of(response) is None:
                raise ValueError("a number could go on")
        except Unreadable as problem:
            self._refuse(call, response, problem)
        except ValueError:
            if needed or text.strip():
                self._refuse(
                    call,
                    response,
                    Unreadable(
                        "HTTP %d, but %s" % (response.status_code, describe_text(self._redact(text, response))),
                        "Something other than the API answered (a proxy, a login page?), or the answer was cut off.",
                    ),
                )
            return None
        return body

    def _read_file(self, call: Call, response: requests.Response, target: BinaryIO) -> tuple[str, int]:
        """(SHA-256 as hex, bytes) of a body that was written to a file. Raises HttpError."""
        if response.status_code != 200:
            # 206 is a part, and whole as such.
            raise call.error("HTTP %d, and only 200 is a whole file" % response.status_code, status=response.status_code)
        EXCHANGE.keep_pace(LEAST_DOWNLOAD_RATE)
        digest, size = hashlib.sha256(), 0
        try:
            refuse_memory(response)
            pieces = read_whole(response, LARGEST_DOWNLOAD)
            target.seek(0)
            target.truncate()
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                target.write(piece)
        except Unreadable as problem:
            self._refuse(call, response, problem)
        return digest.hexdigest(), size

    def _refuse(self, call: Call, response: requests.Response, problem: Unreadable) -> NoReturn:
        """Raises the HttpError for an Unreadable answer."""
        failure = call.error(
            problem.problem, status=response.status_code, hint=problem.hint, uncertain=call.changes, passing=problem.passing
        )
        self._end_if_away(call, failure)
        raise failure from None

    def _record(self, record: Record | None, call: Call, response: requests.Response, facts: Exchange) -> None:
        """Gives the record what was asked and answered, without secrets.

        That is method, path (with its query), status (int), reference (what the vendor's support asks for, or None),
        server_time (UTC text or None), sent (the JSON value or form that was sent, or None), and body (the JSON value that
        came; None for a download, which has sha256 and size in bytes instead).
        """
        if record is None:
            return
        query = urlencode(call.content.get("params") or {}, quote_via=quote)
        exchange: Exchange = {
            "reference": None,
            "method": call.method,
            "path": call.path + ("?" + query if query else ""),
            "status": response.status_code,
            "server_time": http_date(response.headers.get("Date")),
            "sent": call.content.get("json", call.content.get("data")),
            **facts,
        }
        record.append(redact_json(exchange, self._hidden(response)))

    def _redact(self, text: str, response: requests.Response | None = None) -> str:
        """Takes out the secrets, in every spelling in which an answer may show what it was sent."""
        return redact(text, self._hidden(response))

    def _hidden(self, response: requests.Response | None = None) -> list[str]:
        # A list of its own: another thread may just be adding a new token.
        hidden = [*list(self.authentication.secrets), *self._proxy_secrets]
        if response is not None:
            # A signature is as good as a password while it lasts.
            hidden.append(response.request.headers.get("Authorization", ""))
        return hidden
