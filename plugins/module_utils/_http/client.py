# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP for the collection: one pool of connections, one limiter, one set of rules. It knows no vendor.

Private to the collection.
"""

from __future__ import annotations

import email.utils
import hashlib
import http.cookiejar
import ipaddress
import json
import math
import os
import random
import time
import traceback
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus, urlencode, urljoin, urlsplit

from ansible_collections.secops.remediation.plugins.module_utils._http.limiter import Limiter

try:
    import requests
    import requests.adapters
except ImportError:
    requests = None
    REQUESTS_IMPORT_ERROR = traceback.format_exc()
else:
    REQUESTS_IMPORT_ERROR = None

LONGEST_RETRY_AFTER = 300.0
LARGEST_JSON_BODY = 64 * 1024 * 1024
DEEPEST_JSON = 100
TRANSIENT_STATUSES = (429, 502, 503, 504)
REDIRECT_STATUSES = (301, 302, 307, 308)
MOST_REDIRECTS = 3
CHUNK = 64 * 1024
# A chunk is waited for until it is whole; a body that only drips must not hide behind a large one.
JSON_CHUNK = 1024

CONNECTION_OPTIONS = dict(
    validate_certs=dict(type="bool", default=True),
    ca_path=dict(type="path"),
    use_proxy=dict(type="bool", default=True),
    request_timeout=dict(type="int", default=30),
    retry_timeout=dict(type="int", default=120),
    concurrency=dict(type="int", default=16),
    rate_limit=dict(type="int", default=100),
)
LEAST_VALUES = dict(request_timeout=1, retry_timeout=0, concurrency=1, rate_limit=0)


class HttpError(Exception):
    """A request that brought no usable answer. Its text is safe to show: it holds no secret.

    method, path: the request. status: the HTTP status (int), or None where there was no answer.
    code: the API's own code (str) or None. reference: what the vendor's support asks for, or None.
    uncertain: True if the server may have carried the request out all the same.
    """

    def __init__(self, method, path, problem, status=None, code=None, reference=None, hint=None, uncertain=False):
        self.method = method
        self.path = path
        self.problem = problem
        self.status = status
        self.code = code
        self.reference = reference
        self.hint = hint
        self.uncertain = uncertain
        super().__init__(method, path, problem)

    def __str__(self):
        text = "%s %s: %s" % (self.method, self.path, self.problem)
        if self.reference:
            text += " (%s)" % self.reference
        text += "."
        if self.uncertain:
            text += " The server may have carried the request out all the same."
        if self.hint:
            text += " " + self.hint
        return text


class WouldChange(Exception):
    """Check mode: this request would have changed something, so it was not sent."""

    def __init__(self, method, path):
        self.method = method
        self.path = path
        super().__init__("%s %s is not sent in check mode" % (method, path))


class BadConnectionOption(ValueError):
    """A connection option that cannot work, said before anything is sent."""


@dataclass
class ApiError:
    """What an API said about an error, in its own words: code and text, and the reference for its support."""

    code: str | None = None
    text: str | None = None
    reference: str | None = None


@dataclass
class Answer:
    """A successful answer. body: the JSON value, or None for a download. server_time: the Date header as UTC text."""

    status: int
    headers: dict = field(repr=False)
    body: object = field(default=None, repr=False)
    server_time: str | None = None


class LatestRequests:
    """Keeps the last request of each kind: of a hundred looks at a scan, the one that answered supports the result.

    requests: the list to keep them in. Give this as `record` to a call, and the list holds what was asked and answered:
    a dict with method, path (with its query), status (int), reference (what the vendor's support asks for, or None),
    and server_time (UTC text or None).
    """

    def __init__(self, requests_):
        self._requests = requests_

    def __getitem__(self, place):
        return self._requests[place]

    def append(self, exchange):
        """Adds an exchange in place of the former one of its kind."""
        self._requests[:] = [other for other in self._requests if (other["method"], other["path"]) != (
            exchange["method"], exchange["path"])]
        self._requests.append(exchange)


class HeaderAuth:
    """Puts headers on a request. Being an auth object of its own keeps ~/.netrc from replacing them."""

    def __init__(self, headers):
        self.headers = headers

    def __call__(self, request):
        request.headers.update(self.headers)
        return request


class NoAuthentication:
    """For requests that carry their credentials in the body."""

    secrets = ()

    def headers(self):
        """The headers of one attempt."""
        return {}

    def renew(self, used_headers):
        """After a 401: False, there is nothing that could be renewed."""
        return False


class HttpClient:
    """Sends requests to one origin by the rules of the collection.

    base_url: https://host[/path]; http:// only to a loopback address.
    options: dict with validate_certs, ca_path, use_proxy, request_timeout and retry_timeout (seconds),
        concurrency, rate_limit (requests in 10 s, 0 for none).
    authentication: object with headers() -> dict, made anew for every attempt; renew(used_headers) -> bool, asked
        after a 401 whether another attempt makes sense; and secrets, the texts that must never be shown.
    explain: function (status, JSON value or None) -> ApiError, in the API's dialect.
    hint: function (status, ApiError) -> text on what to do next, or None.
    read_only_posts: paths of POST requests that change nothing and so are sent in check mode, too.

    Raises BadConnectionOption.
    """

    def __init__(self, base_url, options, authentication, explain, hint, check_mode=False, read_only_posts=()):
        self.base_url = check_base_url(base_url)
        for name, least in LEAST_VALUES.items():
            if options[name] < least:
                raise BadConnectionOption("%s is %d and must be at least %d" % (name, options[name], least))
        self.authentication = authentication
        self.check_mode = check_mode
        self.limiter = Limiter(options["rate_limit"])
        self._explain = explain
        self._hint = hint
        self._read_only_posts = {path.rstrip("/") for path in read_only_posts}
        self._request_timeout = options["request_timeout"]
        self._retry_timeout = options["retry_timeout"]
        self._verify = options["validate_certs"]
        if self._verify and options["ca_path"]:
            if not os.path.exists(options["ca_path"]):
                raise BadConnectionOption("ca_path %r does not exist" % options["ca_path"])
            self._verify = options["ca_path"]
        if not self._verify:
            requests.packages.urllib3.disable_warnings(requests.packages.urllib3.exceptions.InsecureRequestWarning)
        self._session = requests.Session()
        self._session.trust_env = options["use_proxy"]
        # Even told not to follow a redirect, requests looks where it goes, and stumbles over odd addresses.
        self._session.get_redirect_target = lambda response: None
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        adapter = requests.adapters.HTTPAdapter(
            pool_connections=1, pool_maxsize=options["concurrency"], pool_block=True)
        self._session.mount(self.base_url, adapter)

    def stop(self):
        """Ends every wait of every thread."""
        self.limiter.stop()

    def request(self, method, path, repeatable=None, authentication=None, needs_body=True, record=None, **content):
        """Sends one request and returns its Answer with a JSON body.

        repeatable: whether it may be sent again when the server may have carried it out already
        (default: if it changes nothing). authentication: another one than the client's. needs_body: False where the
        status says it all. record: a list that is given what was asked and answered, see LatestRequests.
        content: `params`, `json` or `data`.
        Raises HttpError, and WouldChange in check mode.
        """
        def read(response):
            # A login page comes with a good status, too, and no API answers in HTML.
            is_page = "html" in response.headers.get("Content-Type", "").lower()
            if needs_body or is_page:
                return self._read_json(method, path, response)
            # Read all the same: a connection is only used again when nothing is left in it.
            self._read_error(response)
            return make_answer(response, None)

        return self._send(method, path, repeatable, authentication, read, {"Accept": "application/json"}, content,
                          record)

    def download(self, path, params, accept, target, record=None):
        """Streams a body into `target`, a binary file, from its start. Returns (Answer, SHA-256 as hex).

        Raises HttpError.
        """
        def read(response):
            return self._read_file(path, response, target)

        answer = self._send("GET", path, True, None, read, {"Accept": accept}, {"params": params}, record)
        return answer, answer.body

    def _changes(self, method, path):
        return method not in ("GET", "HEAD") and path.rstrip("/") not in self._read_only_posts

    def _send(self, method, path, repeatable, authentication, read, headers, content, record):
        changes = self._changes(method, path)
        if changes and self.check_mode:
            raise WouldChange(method, path)
        if repeatable is None:
            repeatable = not changes
        authentication = authentication or self.authentication
        url = self.base_url + path
        deadline = time.monotonic() + self._retry_timeout
        attempt = redirects = 0
        renewed = False
        while True:
            attempt += 1
            self.limiter.acquire()
            # Only now: a signature is made with the time, and the limiter may have held this thread for long.
            auth_headers = authentication.headers()
            try:
                with self._open(method, path, url, auth_headers, headers, content) as response:
                    if response.status_code < 300:
                        answer = read(response)
                        self._record(record, method, path, content, response, None)
                        return answer
                    error_body, error_text = self._read_error(response)
            except requests.exceptions.RequestException as error:
                failure = self._connection_error(method, path, error)
                if (failure.uncertain and not repeatable) or is_final(error):
                    raise failure from None
                self._back_off(attempt, deadline, failure)
                continue

            status = response.status_code
            if status in REDIRECT_STATUSES and redirects < MOST_REDIRECTS:
                redirects += 1
                url = self._same_origin(method, path, url, response)
                # The new address is a whole one, with its own query.
                content = dict(content, params=None)
                continue
            if status == 401 and not renewed and authentication.renew(auth_headers):
                renewed = True
                continue
            failure = self._answer_error(method, path, response, error_body, error_text)
            failure.uncertain = changes and not repeatable and status >= 500
            self._record(record, method, path, content, response, failure.reference)
            if status not in TRANSIENT_STATUSES or (status != 429 and not repeatable):
                raise failure
            asked = retry_after(response.headers)
            if status == 429 or asked is not None:
                self.limiter.pause(self._bounded(asked, attempt, deadline, failure), refused=status == 429)
            else:
                self._back_off(attempt, deadline, failure)

    @staticmethod
    def _record(record, method, path, content, response, reference):
        if record is not None:
            query = urlencode(content.get("params") or {}, quote_via=quote)
            path += "?" + query if query else ""
            record.append(dict(method=method, path=path, status=response.status_code, reference=reference,
                               server_time=http_date(response.headers.get("Date"))))

    def _open(self, method, path, url, auth_headers, headers, content):
        try:
            return self._session.request(
                method, url, auth=HeaderAuth(auth_headers), headers=headers, verify=self._verify, stream=True,
                timeout=self._request_timeout, allow_redirects=False, **content)
        except requests.exceptions.RequestException:
            raise
        except ValueError:
            # Its text may hold the header.
            raise HttpError(
                method, path, "a character of the URL or of the credentials cannot be sent",
                hint="Check the credentials, base_url and the proxy for what does not belong there.") from None
        except OSError as error:
            raise HttpError(method, path, self._redact("nothing could be sent (%s)" % error),
                            hint="Check ca_path, and REQUESTS_CA_BUNDLE in the environment.") from None

    def _back_off(self, attempt, deadline, failure):
        self.limiter.wait(self._bounded(None, attempt, deadline, failure))

    def _bounded(self, asked, attempt, deadline, failure):
        """The seconds to wait before the next attempt. Raises the failure where that goes past the deadline."""
        # A Retry-After of 0 is no leave to hammer.
        seconds = asked or min(30.0, 0.5 * 2 ** min(attempt - 1, 10)) * random.uniform(0.5, 1.0)
        left = deadline - time.monotonic()
        if seconds > left:
            gave_up = "Gave up after %d attempt%s: the next one would be in %.0f s, and retry_timeout is %d s." % (
                attempt, "" if attempt == 1 else "s", seconds, self._retry_timeout)
            failure.hint = "%s %s" % (gave_up, failure.hint) if failure.hint else gave_up
            raise failure from None
        return seconds

    def _same_origin(self, method, path, url, response):
        try:
            target = urljoin(url, response.headers.get("Location", ""))
            scheme, host, port = origin(target)
        except ValueError:
            target = scheme = host = port = None
        if (scheme, host, port) != origin(self.base_url):
            raise HttpError(
                method, path, "HTTP %d redirects to %s" % (
                    response.status_code, "%s://%s:%s" % (scheme, host, port) if host else "something that is no URL"),
                response.status_code,
                hint="Credentials are never sent to another address than the one that was configured. "
                     "If the new address is right, set base_url to it.")
        return target

    def _connection_error(self, method, path, error):
        problem, hint, uncertain = describe_connection_error(error, self.base_url, self._request_timeout)
        return HttpError(method, path, self._redact(problem), hint=hint,
                         uncertain=uncertain and self._changes(method, path))

    def _answer_error(self, method, path, response, body, text):
        status = response.status_code
        said = self._explain(status, body)
        problem = "HTTP %d" % status
        if said.code and str(said.code) != str(status):
            problem += ", %s" % said.code
        if said.text:
            problem += ": %s" % said.text.strip().rstrip(".")
        elif body is None:
            problem += ", %s" % describe_text(self._redact(text, response))
        code = self._redact(said.code, response) if said.code else None
        return HttpError(method, path, self._redact(problem, response), status, code,
                         self._redact(said.reference, response) if said.reference else None, self._hint(status, said))

    def _read_error(self, response):
        text = bytearray()
        try:
            for chunk in response.iter_content(JSON_CHUNK):
                text += chunk
                if len(text) >= CHUNK:
                    break
        except requests.exceptions.RequestException:
            # The status is the answer; a body that breaks off only makes its explanation shorter.
            pass
        text = text.decode("utf-8", "replace")
        try:
            return load_json(text), text
        except ValueError:
            return None, text

    def _read_json(self, method, path, response):
        text = bytearray()
        ends = time.monotonic() + self._request_timeout
        for chunk in response.iter_content(JSON_CHUNK):
            text += chunk
            if len(text) > LARGEST_JSON_BODY:
                raise HttpError(method, path, "the answer is larger than %d bytes" % LARGEST_JSON_BODY,
                                response.status_code)
            if time.monotonic() > ends:
                raise requests.exceptions.ReadTimeout("the body took longer than %d s" % self._request_timeout)
        check_complete(response)
        text = text.decode("utf-8", "replace")
        try:
            body = load_json(text)
        except ValueError:
            raise HttpError(
                method, path, "HTTP %d, but %s" % (response.status_code, describe_text(self._redact(text, response))),
                response.status_code, uncertain=self._changes(method, path),
                hint="Something other than the API answered (a proxy, a login page?), or the answer was cut off.",
            ) from None
        return make_answer(response, body)

    def _read_file(self, path, response, target):
        if "Content-Length" not in response.headers and "chunked" not in response.headers.get("Transfer-Encoding", ""):
            # A report that lost its last rows on the way would read as if nothing were open.
            raise HttpError("GET", path, "the answer does not say how long it is, so it may be cut off",
                            response.status_code, hint="A proxy that takes this away has to be mended or left out.")
        if response.status_code != 200:
            # 206 is a part, and whole as such.
            raise HttpError("GET", path, "HTTP %d, and only 200 is a whole file" % response.status_code,
                            response.status_code)
        target.seek(0)
        target.truncate()
        digest = hashlib.sha256()
        for chunk in response.iter_content(CHUNK):
            digest.update(chunk)
            target.write(chunk)
        check_complete(response)
        return make_answer(response, digest.hexdigest())

    def _redact(self, text, response=None):
        """Takes out the secrets, in every spelling in which an answer may show what it was sent."""
        # A list of its own: another thread may just be adding a new token.
        hidden = list(self.authentication.secrets)
        if response is not None:
            # A signature is as good as a password while it lasts.
            hidden.append(response.request.headers.get("Authorization", ""))
        for secret in sorted(hidden, key=len, reverse=True):
            for spelling in (secret, quote_plus(secret), quote(secret, safe=""), json.dumps(secret)[1:-1],
                             repr(secret)[1:-1]):
                if spelling:
                    text = text.replace(spelling, "********")
        return text


def load_json(text):
    """The value of a JSON text. Raises ValueError, also for what Python would take and JSON has not."""
    def refuse(constant):
        raise ValueError("%s is no JSON" % constant)

    try:
        value = json.loads(text, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    level = [value]
    for _depth in range(DEEPEST_JSON):
        level = [inner for outer in level if isinstance(outer, (dict, list)) for inner in (
            outer.values() if isinstance(outer, dict) else outer)]
        if not level:
            return value
    # Ansible could not hand it on, and all the results of the task would be lost with it.
    raise ValueError("nested too deeply")


def make_answer(response, body):
    """The Answer of a response whose body was read."""
    return Answer(response.status_code, response.headers, body, http_date(response.headers.get("Date")))


def check_base_url(base_url):
    """Returns the base URL without a slash at its end. Raises BadConnectionOption with what to write instead."""
    base_url = base_url.strip()
    if not base_url:
        raise BadConnectionOption("base_url is empty")
    # First, and without showing it: from here on it may be shown.
    if "@" in base_url:
        raise BadConnectionOption("base_url holds a user name or a password: give credentials in their own options")
    if "?" in base_url or "#" in base_url:
        raise BadConnectionOption("base_url must end before the '?' or '#'")
    try:
        parts = urlsplit(base_url)
        origin(base_url)
    except ValueError as error:
        raise BadConnectionOption("base_url %r is no URL: %s" % (base_url, error)) from error
    if parts.scheme not in ("http", "https"):
        raise BadConnectionOption(
            "base_url %r does not start with https://: write https://%s" %
            (base_url, base_url.split("://")[-1].lstrip("/")))
    if not parts.hostname:
        raise BadConnectionOption("base_url %r names no host" % base_url)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise BadConnectionOption(
            "base_url %r would send credentials unencrypted: http:// is accepted for loopback addresses only, "
            "write https://" % base_url)
    return base_url.rstrip("/")


def is_loopback(host):
    """Whether a host name or address is this machine by definition."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin(url):
    """(scheme, host, port) of a URL."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def check_complete(response):
    """Raises ConnectionError if fewer bytes came than were announced: not every urllib3 says so by itself."""
    announced = response.headers.get("Content-Length")
    if announced and announced.isdecimal() and response.raw.tell() != int(announced):
        raise requests.exceptions.ConnectionError(
            "the answer broke off after %d of %s bytes" % (response.raw.tell(), announced))


def retry_after(headers):
    """Seconds that the server asks to wait, from either form of Retry-After, clamped to 0 ... 300. None if unsaid."""
    value = headers.get("Retry-After")
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        until = parse_http_date(value)
        if until is None:
            return None
        # By the server's own clock where it tells it: this machine's may be wrong by hours.
        now = parse_http_date(headers.get("Date"))
        seconds = until - (time.time() if now is None else now)
    if math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def parse_http_date(value):
    """An HTTP date as seconds since the epoch, or None."""
    try:
        return email.utils.parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def http_date(value):
    """An HTTP date as ISO 8601 UTC text, or None."""
    seconds = parse_http_date(value)
    return None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def describe_text(text):
    """A body that is not JSON, in a few words."""
    first_line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if not first_line:
        return "the body is empty"
    return "the body is not JSON and starts with %r" % first_line[:200]


# In an error of a proxy: the request has never left.
NEVER_CONNECTED = ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "Tunnel connection failed")


def reason_of(error):
    """What is inside an exception of requests."""
    cause = error.args[0] if error.args else error
    return getattr(cause, "reason", None) or cause


def is_final(error):
    """Whether repeating cannot help: the certificate stays what it is, the URL stays wrong."""
    if isinstance(error, requests.exceptions.SSLError):
        # A connection that ends during the handshake comes as this error, too.
        return not any(word in repr(reason_of(error)) for word in ("EOF", "ConnectionReset", "BrokenPipe"))
    return isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema,
                              requests.exceptions.InvalidProxyURL, requests.exceptions.InvalidHeader))


def describe_connection_error(error, base_url, request_timeout):
    """(problem, hint, whether the request may have reached the server) of an exception of requests."""
    reason = reason_of(error)
    text = type(reason).__name__ + ": " + str(reason).rsplit(">: ", maxsplit=1)[-1]
    if is_final(error):
        if isinstance(error, requests.exceptions.SSLError):
            return ("the TLS certificate of %s was not accepted (%s)" % (base_url, text),
                    "If a private CA signed it, give the CA file as ca_path.", False)
        return "nothing could be sent (%s)" % text, "Check base_url, the credentials and the proxy.", False
    if isinstance(error, requests.exceptions.ProxyError):
        # Behind a proxy, a connection that breaks after the request was sent comes as this error, too.
        return ("the proxy could not be used (%s)" % text,
                "Check HTTPS_PROXY and NO_PROXY, or set use_proxy to false.",
                not any(word in repr(reason) for word in NEVER_CONNECTED))
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return ("no connection to %s within %d s" % (base_url, request_timeout),
                "Check the address, the network and the proxy.", False)
    if isinstance(error, requests.exceptions.ReadTimeout):
        return "no answer within %d s" % request_timeout, "Raise request_timeout if the API is slow.", True
    if type(reason).__name__ in ("NewConnectionError", "NameResolutionError"):
        return "no connection to %s (%s)" % (base_url, text), "Check the address, the network and the proxy.", False
    return "the connection broke (%s)" % text, None, True
