# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Next generation campaigns: their calls, and files that come from another host by a signed address. Against real sockets."""

from __future__ import annotations

import hashlib
import json
import traceback

import pytest
from scripted_server import Reply

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed, TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError, WouldChange
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import drive
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger
from ansible_collections.secops.remediation.plugins.module_utils._run.pace import Pace
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import api as sailpoint
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_items import Item, Pool, has_revoked
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.api import ReportGone
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.next_api import NextApi, as_older, shown_address
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.next_report import next_campaign_report
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_proof import REMEDIATION_STATUS_REPORT as TYPE

ROOT = "/certification-campaigns/v1"
REPORTS = ROOT + "/campaigns/c1/reports"
SIGNATURE = "X-Amz-Signature=5ecre7+of%2Fthe-store&X-Amz-Credential=K3Y/id"
CSV = b"Item,Status\nPayroll,Open\n"
AS_CSV = {"Content-Type": "text/csv"}
CREATED, LATER = "2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z"


@pytest.fixture
def make_api(server, connection_options):
    """Makes connections to the server."""

    def make(check_mode=False, **changes):
        options = connection_options(
            base_url=server.url, client_id=None, client_secret=None, access_token="t0ken-0", api_version="next"
        )
        return NextApi(dict(options, **changes), check_mode)

    return make


@pytest.fixture
def api(make_api):
    """A connection to the server."""
    return make_api()


@pytest.fixture
def store(make_server):
    """Another server, where files are."""
    return make_server()


@pytest.fixture
def signed(server):
    """Has the server give out an address for the file of report r1."""

    def sign(address, **more):
        server.on("GET", REPORTS + "/r1/download-url", Reply(json=dict({"id": "r1", "presignedUrl": address}, **more)))

    return sign


def report(status="SUCCESS", report_id="r1", created=CREATED, **more):
    return dict(
        dict(id=report_id, name="n", campaignId="c1", type="REMEDIATION", format="CSV", created=created, status=status), **more
    )


def texts_of(error):
    """Everything that anybody could show of an exception."""
    return str(error) + repr(vars(error)) + "".join(traceback.format_exception(type(error), error, error.__traceback__))


def fetch(api, tmp_path, record=None):
    """Downloads the file of report r1."""
    return api.download_signed_report("c1", "r1", "csv", str(tmp_path / "f.csv"), record)


class TestPaths:
    def test_whose_are_whose(self, server, api):
        server.on("GET", ROOT + "/campaigns/c1", Reply(json={"id": "c1", "modified": CREATED}))
        server.on("POST", "/search/v1", Reply(json=[]))
        server.on("GET", "/task-status/v1", Reply(json=[]))
        assert api.get_campaign("c1")["id"] == "c1"
        api.search("identities", {"id": ["p1"]}, ["id"], [])
        api.list_tasks(["t1"], [])
        assert {one.headers["X-SailPoint-Experimental"] for one in server.requests} == {"true"}
        assert server.requests[0].query == {}

    def test_other_versions_are_no_experiment(self, server, connection_options):
        server.on("GET", "/campaigns/v1/c1", Reply(json={"id": "c1", "modified": CREATED}))
        options = connection_options(base_url=server.url, client_id=None, client_secret=None, access_token="t", api_version="v1")
        sailpoint.SailPointApi(options).get_campaign("c1")
        assert "X-SailPoint-Experimental" not in server.requests[0].headers

    def test_there_is_no_scan(self, server, connection_options):
        options = connection_options(base_url=server.url, client_id=None, client_secret=None, access_token="t")
        with pytest.raises(TaskFailed, match="no remediation scan"):
            sailpoint.connect(Task(dict(options, api_version="next"), False, None))
        assert server.requests == []


class TestSignedDownload:
    def test_nothing_for_the_api_goes_there(self, server, store, signed, api, tmp_path, monkeypatch):
        (tmp_path / "home" / ".netrc").write_text("machine 127.0.0.1 login n password etrc\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "home" / ".netrc"))
        cookie = {"Set-Cookie": "session=c00kie"}
        server.on(
            "GET",
            REPORTS + "/r1/download-url",
            Reply(json={"id": "r1", "presignedUrl": store.url + "/b/k?" + SIGNATURE}, headers=cookie),
        )
        store.expect("GET", "/b/k", Reply(body=CSV, headers=AS_CSV))
        record = []
        assert fetch(api, tmp_path, record) == hashlib.sha256(CSV).hexdigest()
        assert (tmp_path / "f.csv").read_bytes() == CSV
        there = store.requests[0]
        assert there.target == "/b/k?" + SIGNATURE
        names = {name.lower() for name in there.headers}
        assert names.isdisjoint({"authorization", "cookie", "proxy-authorization", "x-sailpoint-experimental"})
        # Once as the answer that signed it, once as the file.
        assert [one["path"] for one in record] == [REPORTS + "/r1/download-url", store.url + "/…"]
        assert record[1]["sha256"] and record[1]["size"] == len(CSV) and record[1]["report_id"] == "r1"
        assert record[1]["server_time"] == record[0]["server_time"]
        for secret in ("5ecre7", "K3Y", "/b/k", "t0ken"):
            assert secret not in json.dumps(record)

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_no_redirect_is_followed(self, server, store, signed, api, tmp_path, status):
        signed(store.url + "/k?" + SIGNATURE)
        for target in (store.url + "/other", server.url + "/campaigns/v1/c1"):
            store.expect("GET", "/k", Reply(status, headers={"Location": target}))
            with pytest.raises(HttpError):
                fetch(api, tmp_path)
        assert len(store.requests) == 2 and not (tmp_path / "f.csv").exists()

    @pytest.mark.parametrize(
        "address",
        [
            "http://files.example/k?" + SIGNATURE,
            "ftp://127.0.0.1/k?" + SIGNATURE,
            "file:///k?" + SIGNATURE,
            "https://user:pass@files.example/k?" + SIGNATURE,
            "https://[files/k?" + SIGNATURE,
            "https://files.example:port/k?" + SIGNATURE,
            "/k?" + SIGNATURE,
            "no address " + SIGNATURE,
        ],
    )
    def test_not_to_every_address(self, server, signed, api, tmp_path, address):
        signed(address)
        record = []
        with pytest.raises(HttpError) as caught:
            fetch(api, tmp_path, record)
        for secret in ("5ecre7", "K3Y", "pass"):
            assert secret not in str(caught.value) + json.dumps(record)
        assert len(server.requests) == 1

    def test_a_loopback_address_needs_an_api_that_is_on_one(self, connection_options):
        options = connection_options(
            base_url="https://acme.example", client_id=None, client_secret=None, access_token="t", api_version="next"
        )
        with pytest.raises(ValueError, match="not encrypted"):
            NextApi(options).client._store_of("http://127.0.0.1:9/k")

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(403, body="<Error><StringToSign>%s</StringToSign></Error>" % SIGNATURE),
            Reply(400, json={"message": SIGNATURE}),
            Reply(200, body="<html>%s</html>" % SIGNATURE, headers={"Content-Type": "text/html"}),
            Reply(200, body=CSV, announce=len(CSV) + 100, headers=AS_CSV),
            Reply(206, body=CSV, headers=AS_CSV),
            Reply(200, body=CSV, framed=False, headers=AS_CSV),
            Reply(200, body=b'{"a": 1}', headers=AS_CSV),
            Reply(200, body=CSV),
            Reply(200, body=b"<Error>%s</Error>" % SIGNATURE.encode(), headers=AS_CSV),
        ],
    )
    def test_what_is_no_whole_file(self, store, signed, make_api, tmp_path, reply, quick_back_off):
        signed(store.url + "/k?" + SIGNATURE)
        store.on("GET", "/k", reply)
        (tmp_path / "f.csv").write_text("before")
        with pytest.raises(HttpError) as caught:
            fetch(make_api(retry_timeout=1), tmp_path)
        assert (tmp_path / "f.csv").read_text() == "before"
        assert [one.name for one in tmp_path.iterdir() if one.name.endswith(".part")] == []
        text = texts_of(caught.value)
        for secret in ("5ecre7", "t0ken-0", "X-Amz-Credential"):
            assert secret not in text

    def test_a_store_that_is_not_there(self, signed, make_api, tmp_path, quick_back_off):
        signed("http://127.0.0.1:1/k?" + SIGNATURE)
        with pytest.raises(HttpError) as caught:
            fetch(make_api(retry_timeout=1), tmp_path)
        assert "5ecre7" not in texts_of(caught.value) and "http://127.0.0.1:1/…" in str(caught.value)

    def test_it_is_bounded(self, store, signed, api, tmp_path, monkeypatch):
        from ansible_collections.secops.remediation.plugins.module_utils._http import client

        monkeypatch.setattr(client, "LARGEST_DOWNLOAD", len(CSV) - 1)
        signed(store.url + "/k")
        store.expect("GET", "/k", Reply(body=CSV, headers=AS_CSV))
        with pytest.raises(HttpError, match="large|more than"):
            fetch(api, tmp_path)

    def test_a_password_of_the_proxy_is_for_the_proxy(self, make_server, signed, make_api, tmp_path, monkeypatch):
        proxy = make_server()
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("http://", "http://user:pr0xy@"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        proxy.on("CONNECT", "files.example:443", Reply(407))
        signed("https://files.example/k?" + SIGNATURE)
        with pytest.raises(HttpError) as caught:
            fetch(make_api(retry_timeout=1), tmp_path)
        assert "5ecre7" not in texts_of(caught.value) and "pr0xy" not in texts_of(caught.value)
        assert {one.target for one in proxy.requests} == {"files.example:443"}
        assert "authorization" not in {name.lower() for name in proxy.requests[0].headers}

    @pytest.mark.parametrize("status", [404, 410])
    def test_it_is_gone(self, server, store, signed, api, tmp_path, status):
        server.expect("GET", REPORTS + "/r1/download-url", Reply(status, json={}))
        with pytest.raises(ReportGone):
            fetch(api, tmp_path)
        signed(store.url + "/k")
        store.expect("GET", "/k", Reply(status))
        with pytest.raises(ReportGone):
            fetch(api, tmp_path)

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(json={"id": "r2", "presignedUrl": "https://files.example/?" + SIGNATURE}),
            Reply(json={"id": "r1"}),
            Reply(json={"id": "r1", "presignedUrl": None}),
            Reply(json=["https://files.example/?" + SIGNATURE]),
            Reply(json="https://files.example/?" + SIGNATURE),
            Reply(body='{"id": "r1", "presignedUrl": "https:\\/\\/files.example\\/?%s' % SIGNATURE),
            Reply(body="https://files.example/?" + SIGNATURE),
            Reply(201, json={"id": "r1", "presignedUrl": "https://files.example/?" + SIGNATURE}),
        ],
    )
    def test_an_answer_without_an_address(self, server, make_api, tmp_path, reply, quick_back_off):
        server.on("GET", REPORTS + "/r1/download-url", reply)
        record = []
        with pytest.raises(HttpError) as caught:
            fetch(make_api(retry_timeout=1), tmp_path, record)
        assert "5ecre7" not in str(caught.value) + json.dumps(record)

    def test_what_may_be_shown_of_an_address(self):
        assert shown_address("https://a.example:8443/b/k?s#f") == "https://a.example:8443/…"
        assert {shown_address(odd) for odd in (None, 1, "", "x", "https://", "https://[", "https://a:b/")} == {"(no address)"}


class TestReport:
    def get(self, api, **options):
        item = {"campaign_id": "c1"}
        pace = options.pop("pace", None) or Pace(0)
        path = options.pop("path", None)
        return item, drive([next_campaign_report(api, Ledger(None), pace, item, TYPE, path, **options)], 1, 5)[0]

    def serve(self, server, *reports):
        server.on("GET", REPORTS, Reply(json=list(reports), headers={"X-Total-Count": str(len(reports))}))
        for one in reports:
            server.on("GET", REPORTS + "/" + one["id"], Reply(json=one))
        server.on("GET", ROOT + "/campaigns/c1", Reply(json={"id": "c1", "status": "COMPLETED", "modified": CREATED}))

    def test_the_newest_is_reused(self, server, api):
        self.serve(server, report(report_id="r2", created=LATER), report(), report(report_id="r3", created=LATER, format="PDF"))
        item, ending = self.get(api, newer_than="2026-11-24T09:00:00Z")
        assert (ending, item["report"]["id"], item["status"], item["changed"]) == (None, "r2", "finished", False)

    def test_one_under_way_is_joined(self, server, api):
        self.serve(server, report("IN_PROGRESS"))
        server.expect("GET", REPORTS + "/r1", Reply(json=report("IN_PROGRESS")), Reply(json=report()))
        item, ending = self.get(api)
        assert (ending, item["status"], item["changed"]) == (None, "finished", False)

    @pytest.mark.parametrize(
        "other",
        [
            report(created="2026-11-24T08:00:00Z"),
            report(created="2999-01-01T00:00:00Z"),
            report(created=None),
            report(campaignId="c2"),
            report(type="STATUS"),
            report(format="PDF"),
        ],
    )
    def test_others_do_not_count(self, server, api, other):
        self.serve(server, other)
        made = report(report_id="r9", created=LATER)
        server.on("POST", REPORTS, Reply(json=dict(made, status="IN_PROGRESS")))
        server.on("GET", REPORTS + "/r9", Reply(json=made))
        item, ending = self.get(api, newer_than="2026-11-24T09:00:00Z")
        assert (ending, item["report"]["id"], item["changed"]) == (None, "r9", True)
        sent = next(one for one in server.requests if one.method == "POST").json
        assert (sent["type"], sent["format"]) == ("REMEDIATION", "CSV") and sent["name"]

    @pytest.mark.parametrize("newer_than", [None, "2026-11-24T09:00:00Z"])
    def test_one_that_failed_is_run_again_once(self, server, api, newer_than):
        self.serve(server, report("FAILED"))
        made = report("FAILED", report_id="r9", created=LATER)
        server.on("POST", REPORTS, Reply(json=made))
        server.on("GET", REPORTS + "/r9", Reply(json=made))
        item, ending = self.get(api, newer_than=newer_than)
        assert isinstance(ending, ItemFailed) and "FAILED" in str(ending) and item["status"] == "running"
        assert [one.method for one in server.requests].count("POST") == 1

    def test_an_unknown_status_is_no_end(self, server, api):
        self.serve(server, report("DONE_PERHAPS"))
        item, ending = self.get(api, wait=False)
        assert (ending, item["status"], item["changed"]) == (None, "running", False)

    def test_another_report_than_asked_for(self, server, api):
        self.serve(server, report())
        server.on("GET", REPORTS + "/r1", Reply(json=report(campaignId="c2")))
        assert isinstance(self.get(api)[1], ItemFailed)

    @pytest.mark.parametrize("odd", [{}, [], report(campaignId="c2"), report(report_id=""), report(type="STATUS")])
    def test_an_answer_that_is_no_report(self, server, api, odd):
        server.on("POST", REPORTS, Reply(json=odd))
        assert isinstance(self.get(api, force=True)[1], HttpError)

    def test_a_purged_file_is_made_again(self, server, store, signed, api, tmp_path):
        self.serve(server, report())
        made = report(report_id="r9", created=LATER)
        server.on("POST", REPORTS, Reply(json=made))
        server.on("GET", REPORTS + "/r9", Reply(json=made))
        server.on("GET", REPORTS + "/r1/download-url", Reply(410, json={}))
        server.on("GET", REPORTS + "/r9/download-url", Reply(json={"id": "r9", "presignedUrl": store.url + "/k"}))
        store.expect("GET", "/k", Reply(body=CSV, headers=AS_CSV))
        item, ending = self.get(api, path=str(tmp_path / "f.csv"))
        assert (ending, item["report"]["id"], item["sha256"]) == (None, "r9", hashlib.sha256(CSV).hexdigest())
        # The campaign is read again after its file came.
        assert server.seen()[-1] == "GET %s/campaigns/c1" % ROOT and item["answers"][-1]["body"]["id"] == "c1"

    def test_check_mode(self, server, make_api):
        self.serve(server)
        api = make_api(check_mode=True)
        item, ending = self.get(api)
        assert (ending, item["status"], item["changed"]) == (None, "running", True)
        with pytest.raises(WouldChange):
            api.create_report("c1", TYPE, "csv")


def review(kind="ENTITLEMENT", **more):
    own = {"id": "a1", "name": "Payroll"}
    if kind == "ENTITLEMENT":
        own.update(
            attributeName="memberOf", attributeValue="CN=Payroll", sourceId="s1", sourceName="AD",
            account={"id": "acc1", "nativeIdentity": "CN=Alison"},
        )  # fmt: skip
    name = {"ENTITLEMENT": "entitlement", "ACCESS_PROFILE": "accessProfile", "ROLE": "role"}.get(kind)
    subject = {"id": "summary", "subjectType": "IDENTITY", "subjectName": "Alison", "subjectTargetId": "p1"}
    data = {"targetReference": {"type": kind, "id": "a1", "name": "Payroll"}}
    shown = {
        "id": "i1", "type": kind, "decision": "REVOKED", "proposedEndDate": None,
        "reviewData": dict(data, **({name: own} if name else {})), "certificationSubjectSummary": subject,
    }  # fmt: skip
    return dict(shown, **more)


class TestItems:
    def row(self, shown):
        return Item("c1", "k1", as_older(shown), Pool()).row()

    def test_an_entitlement(self):
        made = self.row(review())
        assert made["identity"] == {"id": "p1", "name": "Alison"}
        assert made["access"] == {"type": "ENTITLEMENT", "id": "a1", "name": "Payroll"}
        assert (made["attribute"], made["value"]) == ("memberOf", "CN=Payroll")
        assert (made["source"], made["account"]) == ({"id": "s1", "name": "AD"}, {"id": "acc1", "native_identity": "CN=Alison"})
        assert made["ends"] is None

    @pytest.mark.parametrize("kind", ["ENTITLEMENT", "ACCESS_PROFILE", "ROLE"])
    def test_the_date_of_the_decision(self, kind):
        assert self.row(review(kind, proposedEndDate=LATER))["ends"] == LATER
        assert self.row(review(kind, proposedEndDate=5))["ends"] == "5"

    @pytest.mark.parametrize("kind", ["ROLE", "MACHINE_IDENTITY", "NEW_TYPE", None])
    def test_other_subjects_are_no_identities(self, kind):
        subject = {"subjectType": kind, "subjectTargetId": "p1", "subjectName": "x"}
        assert self.row(review(certificationSubjectSummary=subject))["identity"]["id"] is None

    def test_types_that_contradict(self):
        assert self.row(review(type="ROLE"))["access"]["type"] is None
        data = dict(review()["reviewData"], targetReference={"type": "ENTITLEMENT", "id": "a2"})
        assert self.row(review(reviewData=data))["access"]["type"] is None

    @pytest.mark.parametrize("word", ["APPROVED", "ACKNOWLEDGED", "UNDECIDED", "REVOKE", "NEW_WORD", None])
    def test_only_one_word_is_a_revocation(self, server, api, word):
        path = ROOT + "/certifications/k1/review-items"
        server.on("GET", path, Reply(json=[review(), review(decision=word)], headers={"X-Total-Count": "2"}))
        expected = ["REVOKE", word]
        found = [one["decision"] for page in api.review_items("k1", [], lambda page: {}) for one in page]
        assert found == (expected if word != "REVOKE" else ["REVOKE", "REVOKE"])

    @pytest.mark.parametrize("name", ["entitlementDecisions", "accessProfileDecisions", "roleDecisions"])
    def test_what_is_not_said_to_be_none_is_read(self, name):
        none = {one: {"revoked": 0} for one in ("entitlementDecisions", "accessProfileDecisions", "roleDecisions")}
        assert has_revoked(none) is False
        for odd in ({"revoked": 1}, {}, None, 0):
            assert has_revoked(dict(none, **{name: odd})) is True
        del none[name]
        assert has_revoked(none) is True
