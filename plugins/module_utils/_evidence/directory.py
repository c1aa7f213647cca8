# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence directory: a folder for each run, checksums over it, a signature, and the chain from run to run.

Private to the collection.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import time

from ansible_collections.secops.remediation.plugins.module_utils._common.files import write_atomically

RUN = re.compile(r"\d{8}T\d{6}Z(-\d+)?")
UNFINISHED = ".unfinished"
LATEST = "latest"
SUMS = "SHA256SUMS"
VERIFICATION = "verification.json"
SIGNATURES = (".sig", ".asc")
# The namespace that ssh-keygen's manual proposes for files.
SSH_NAMESPACE = "file"


class EvidenceError(Exception):
    """Evidence could not be written or signed. The text says what and why."""


def begin_run(directory, now=None):
    """Claims a name for a run. Returns (name, its working folder, which now exists). Raises OSError."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    number = 1
    while True:
        run = stamp if number == 1 else "%s-%d" % (stamp, number)
        if not os.path.lexists(os.path.join(directory, run)):
            try:
                os.mkdir(working_folder(directory, run))
                return run, working_folder(directory, run)
            except FileExistsError:
                # Another job began in the same second.
                pass
        number += 1


def working_folder(directory, run):
    """Where a run's files are until it is finished; a run that was killed never looks like evidence."""
    return os.path.join(directory, run + UNFINISHED)


def run_order(run):
    """What sorts names of runs by time: of two in one second the later one has the higher number."""
    stamp, _dash, number = run.partition("-")
    return stamp, int(number or 1)


def finished_runs(directory):
    """The names of the finished runs, oldest first."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    return sorted((name for name in names if RUN.fullmatch(name) and os.path.isdir(os.path.join(directory, name))),
                  key=run_order)


def runs_as_they_ended(directory):
    """The names of the finished runs, the one that ended last at the end: the one that began last may have ended before.

    The order is that of the sums over all runs. A run that they do not have ended last, just before its job was killed.
    """
    runs = finished_runs(directory)
    try:
        listed = {path.split("/", 1)[0]: None for path in read_sums(directory)}
    except (OSError, ValueError):
        listed = {}
    return [run for run in listed if run in runs] + [run for run in runs if run not in listed]


def read_verification(directory, run):
    """A run's verification.json as a dict, or None where there is none that can be read."""
    try:
        with open(os.path.join(directory, run, VERIFICATION), encoding="utf-8") as file:
            verification = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    return verification if isinstance(verification, dict) and isinstance(verification.get("targets"), list) else None


def sha256_of(path):
    """The SHA-256 of a file as hexadecimal digits. Raises OSError."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1024 * 1024):
            digest.update(chunk)
    return digest.hexdigest()


def files_in(folder):
    """The paths of all files in a folder, relative to it, with / between the parts, but for checksums and signatures."""
    found = []
    for parent, folders, names in os.walk(folder):
        # A link to a folder is no folder of the run.
        names += [name for name in folders if os.path.islink(os.path.join(parent, name))]
        found += [os.path.relpath(os.path.join(parent, name), folder).replace(os.sep, "/") for name in names]
    return sorted(set(found) - {SUMS} - {SUMS + ending for ending in SIGNATURES})


def finish_run(directory, run, signing_key=None):
    """Makes a run's working folder evidence: checksums, signature, its final name, `latest`, and the sums over all runs.

    Returns what went wrong, as sentences; then all the rest is done. Raises OSError.
    """
    problems = []
    folder = working_folder(directory, run)
    write_sums(folder, ((sha256_of(os.path.join(folder, path)), path) for path in files_in(folder)))
    sign_or_say(os.path.join(folder, SUMS), signing_key, problems)
    before = runs_as_they_ended(directory)
    os.rename(folder, os.path.join(directory, run))
    write_overall_sums(directory, before + [run], signing_key, problems)
    try:
        point_latest(directory, run)
    except OSError as error:
        problems.append("%s cannot point to the run: %s." % (LATEST, error.strerror))
    return problems


def sign_or_say(path, key, problems):
    """Signs a file; what went wrong is put into `problems`."""
    try:
        sign(path, key)
    except EvidenceError as error:
        if str(error) not in problems:
            problems.append(str(error))


def write_sums(folder, sums):
    """Writes SHA256SUMS, as sha256sum -c reads it."""
    lines = []
    for digest, path in sums:
        if re.search(r"[\\\n\r]", path):
            digest, path = "\\" + digest, path.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        lines.append("%s  %s\n" % (digest, path))
    write_atomically(os.path.join(folder, SUMS), "".join(lines))


def read_sums(folder):
    """The content of SHA256SUMS: a dict from path to digest. Raises OSError, ValueError."""
    sums = {}
    with open(os.path.join(folder, SUMS), encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for line in file.read().rstrip("\n").split("\n"):
            match = re.fullmatch(r"(\\?)([0-9a-f]{64})  (.+)", line)
            if not match:
                raise ValueError("a line of %s is no checksum: %r" % (SUMS, line[:100]))
            path = match.group(3)
            if match.group(1):
                path = re.sub(r"\\(.)", lambda escape: {"n": "\n", "r": "\r"}.get(escape[1], escape[1]), path)
            sums[path] = match.group(2)
    return sums


def overall_sums(directory, runs):
    """(digest, path) of every file of these runs, according to the runs' own SHA256SUMS, and of those."""
    for run in runs:
        folder = os.path.join(directory, run)
        try:
            sums = read_sums(folder)
            yield sha256_of(os.path.join(folder, SUMS)), "%s/%s" % (run, SUMS)
        except (OSError, ValueError):
            # Whoever checks the directory is told; this run must not fail for what became of another.
            continue
        for path, digest in sums.items():
            yield digest, "%s/%s" % (run, path)


def write_overall_sums(directory, runs, signing_key, problems):
    """Writes and signs the SHA256SUMS over all runs, in the order in which they ended.

    What an older run's files were is taken from its sums, never read anew. problems: see sign_or_say.
    """
    for ending in SIGNATURES:
        # It belongs to the former content.
        if os.path.lexists(os.path.join(directory, SUMS + ending)):
            os.unlink(os.path.join(directory, SUMS + ending))
    write_sums(directory, overall_sums(directory, runs))
    sign_or_say(os.path.join(directory, SUMS), signing_key, problems)


def point_latest(directory, run):
    """Lets `latest` point to a run; where there are no links, it is a text file with the run's name. Raises OSError."""
    link = os.path.join(directory, LATEST)
    if os.path.isdir(link) and not os.path.islink(link):
        # A copy made where there are no links. It may be all that somebody has.
        os.rename(link, "%s.before-%s" % (link, run))
    temporary = os.path.join(directory, ".%s-%s" % (LATEST, run))
    try:
        os.symlink(run, temporary)
    except OSError:
        write_atomically(link, run + "\n")
    else:
        os.replace(temporary, link)


def latest_run(directory):
    """What `latest` says, or None."""
    link = os.path.join(directory, LATEST)
    try:
        if os.path.islink(link):
            return os.readlink(link)
        with open(link, encoding="utf-8") as file:
            return file.read(100).strip()
    except (OSError, ValueError):
        return None


def remove_old_runs(directory, keep):
    """Removes all but the runs that ended last, and returns their names. Never a link: what it leads to is elsewhere.

    Working folders stay, for a job may still be at work there.
    """
    runs = runs_as_they_ended(directory)
    old = [run for run in runs[:-keep] if not os.path.islink(os.path.join(directory, run))] if keep else []
    for run in old:
        shutil.rmtree(os.path.join(directory, run))
    return old


# --- signatures ---

def signature_ending(key):
    """What a signature's name ends with that a key makes, or None without a key."""
    return None if not key else ".sig" if os.path.isfile(os.path.expanduser(key)) else ".asc"


def sign(path, key):
    """Signs a file with a detached signature beside it. key: an SSH key file, or what gpg calls a user id, or None.

    An SSH private key, or a public one whose private key an agent holds, makes PATH.sig; any other key PATH.asc.
    Raises EvidenceError.
    """
    if not key:
        return
    made = path + signature_ending(key)
    if made.endswith(".sig"):
        command = ["ssh-keygen", "-Y", "sign", "-n", SSH_NAMESPACE, "-f", os.path.expanduser(key), path]
    elif os.sep in key:
        raise EvidenceError("Cannot sign: there is no key file %s." % key)
    else:
        command = ["gpg", "--batch", "--yes", "--armor", "--detach-sign", "--local-user", key, path]
    if os.path.exists(made):
        os.unlink(made)
    status, output = run_tool(command)
    if status or not os.path.exists(made):
        raise EvidenceError("Cannot sign with %r: %s says: %s" % (key, command[0], first_lines(output)))


def check_signature(path, signers_file=None):
    """What a signature beside a file is worth, as (`valid`, `invalid`, `unknown` or None for none, a sentence)."""
    if os.path.exists(path + ".sig"):
        return check_ssh_signature(path, signers_file)
    if os.path.exists(path + ".asc"):
        status, output = run_tool(["gpg", "--batch", "--status-fd", "1", "--verify", path + ".asc", path])
        good = re.search(r"\[GNUPG:\] (GOOD|EXPKEY)SIG \S+ (.*)", output)
        if status == 0 and good:
            return "valid", "signed by %s%s" % (
                good.group(2), ", with a key that has expired since" if good.group(1) == "EXPKEY" else "")
        if "NO_PUBKEY" in output:
            return "unknown", "signed with a key that gpg does not know here: import the signer's public key"
        return ("unknown" if status == 127 else "invalid"), "gpg says: %s" % first_lines(output)
    return None, "not signed"


def check_ssh_signature(path, signers_file):
    """As check_signature, for a signature that ssh-keygen made."""
    with open(path, "rb") as file:
        content = file.read()
    if signers_file:
        status, output = run_tool(
            ["ssh-keygen", "-Y", "find-principals", "-s", path + ".sig", "-f", signers_file])
        signer = output.strip().splitlines()[0] if status == 0 and output.strip() else None
        if signer is None:
            if "expired" in output:
                return "unknown", "signed with a key that has expired, according to %s" % signers_file
            return "invalid", "signed with a key that %s does not name" % signers_file
        status, output = run_tool(["ssh-keygen", "-Y", "verify", "-n", SSH_NAMESPACE, "-f", signers_file, "-I", signer,
                                   "-s", path + ".sig"], content)
        return ("invalid", first_lines(output)) if status else ("valid", "signed by %s" % signer)
    status, output = run_tool(["ssh-keygen", "-Y", "check-novalidate", "-n", SSH_NAMESPACE, "-s", path + ".sig"],
                              content)
    if status:
        return ("unknown" if status == 127 else "invalid"), "ssh-keygen says: %s" % first_lines(output)
    key = re.search(r"SHA256:\S+", output)
    return "unknown", "signed with the key %s; name the signers that are trusted to know whose it is" % (
        key.group() if key else "of an unknown signer")


def run_tool(command, content=b""):
    """Runs a tool that must not ask anybody anything. Returns (exit status, its output), 127 where it is missing."""
    environment = dict(os.environ, LC_ALL="C", SSH_ASKPASS_REQUIRE="never")
    try:
        done = subprocess.run(command, input=content, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              timeout=60, env=environment, start_new_session=True)
    except FileNotFoundError:
        return 127, "%s is not installed" % command[0]
    except (OSError, subprocess.TimeoutExpired) as error:
        return 126, "%s did not run: %s" % (command[0], error)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def first_lines(output):
    """What a tool said, on one line."""
    lines = [line.strip() for line in output.splitlines() if not line.startswith("[GNUPG:]")]
    return "; ".join(line for line in lines if line)[:500] or "nothing"


# --- checking, years later ---

def check_directory(directory, signers_file=None, signed=False):
    """What is intact in an evidence directory and what is not.

    signed: whether a run without a valid signature is a problem. Returns a list of dicts, oldest run first: `run`,
    `verdict`, `finished_at`, `files`, `signature`, `signature_detail`, `problems`, `notes`; and the same for the
    directory as a whole, as a dict with `problems` and `notes`. Raises OSError.
    """
    checked, digests, previous = [], {}, {}
    for run in finished_runs(directory):
        folder = os.path.join(directory, run)
        verification = read_verification(directory, run) or {}
        previous[run] = verification.get("previous_run")
        checked.append(dict(check_run(folder, signers_file, signed), run=run, verdict=verification.get("verdict"),
                            finished_at=verification.get("finished_at")))
        if verification and verification.get("run") != run:
            checked[-1]["problems"].append("its %s is that of the run %s" % (VERIFICATION, verification.get("run")))
        try:
            digests[run] = sha256_of(os.path.join(folder, SUMS))
        except OSError:
            digests[run] = None
    check_chain(checked, previous, digests)
    return checked, check_whole(directory, checked, signers_file, signed)


def check_run(folder, signers_file, signed):
    """What is intact in the folder of one run."""
    problems = []
    try:
        sums = read_sums(folder)
    except (OSError, ValueError) as error:
        problems.append("%s cannot be read (%s), so nothing shows whether its files are what they were" % (
            SUMS, getattr(error, "strerror", None) or error))
        sums = {}
    present = set(files_in(folder))
    for path, digest in sums.items():
        whole_path = os.path.join(folder, path)
        if path not in present:
            problems.append("%s is missing" % path)
        elif os.path.islink(whole_path) or not os.path.isfile(whole_path):
            problems.append("%s is no file any more, but a link or something else" % path)
        else:
            try:
                if sha256_of(whole_path) != digest:
                    problems.append("%s was changed" % path)
            except OSError as error:
                problems.append("%s cannot be read (%s)" % (path, error.strerror))
    if sums:
        problems += ["%s was added" % path for path in sorted(present - set(sums))]
    if VERIFICATION not in present and VERIFICATION not in sums:
        problems.append("%s is missing" % VERIFICATION)
    signature, detail = check_signature(os.path.join(folder, SUMS), signers_file)
    if signature == "invalid":
        problems.append("the signature is not valid: %s" % detail)
    elif signed and signature != "valid":
        problems.append("a valid signature was asked for: %s" % detail)
    return dict(files=len(sums), signature=signature, signature_detail=detail, problems=problems, notes=[])


def check_chain(checked, previous, digests):
    """Whether each run's predecessor is the one that it saw."""
    first = None
    for record in checked:
        link = previous[record["run"]]
        if not isinstance(link, dict):
            if first:
                record["problems"].append("it knows of no run before it, and there is %s" % first)
            first = record["run"]
            continue
        seen = str(link.get("run"))
        if seen in digests:
            if digests[seen] != link.get("sha256sums_sha256"):
                record["problems"].append("the run before it, %s, is not what it was then: its %s was changed" % (
                    seen, SUMS))
        elif RUN.fullmatch(seen) and run_order(seen) < run_order(checked[0]["run"]):
            record["notes"].append("the run before it, %s, is not here: it was removed, as keep_runs does" % seen)
        else:
            record["problems"].append("the run before it, %s, is missing" % seen)
    followed = {str(link.get("run")) for link in previous.values() if isinstance(link, dict)}
    for record in [record for record in checked if record["run"] not in followed][:-1]:
        record["problems"].append("no later run names it as the one before, so a change to it would not show")


def check_whole(directory, checked, signers_file, signed):
    """What can be said of the directory as a whole."""
    problems, notes = [], []
    runs = runs_as_they_ended(directory)
    if not runs:
        problems.append("there is no finished run in it")
        if os.path.exists(os.path.join(directory, VERIFICATION)):
            notes.append("a %s lies in it: this may be the folder of a run, and the evidence directory the one above, or "
                         "evidence that version 0.1.0 wrote" % VERIFICATION)
    if runs and latest_run(directory) != runs[-1]:
        notes.append("%s does not point to the run that ended last, %s" % (LATEST, runs[-1]))
    try:
        sums = read_sums(directory)
        expected = {path: digest for digest, path in overall_sums(directory, runs)}
        known = {path.split("/", 1)[0] for path in sums}
        problems += ["the run %s is missing" % run for run in sorted(known - set(runs))]
        problems += ["the run %s is in no %s" % (run, SUMS) for run in sorted(set(runs) - known)]
        differing = {path.split("/", 1)[0] for path in sums.keys() | expected.keys() if
                     sums.get(path) != expected.get(path)}
        problems += ["%s says something else of the run %s than the run does" % (SUMS, run) for run in sorted(
            differing & known & set(runs))]
    except (OSError, ValueError) as error:
        problems.append("%s over all runs cannot be read (%s)" % (SUMS, getattr(error, "strerror", None) or error))
    signature, detail = check_signature(os.path.join(directory, SUMS), signers_file)
    if signature == "invalid":
        problems.append("the signature over all runs is not valid: %s" % detail)
    elif signed and signature != "valid":
        problems.append("a valid signature over all runs was asked for: %s" % detail)
    if any(record["signature"] for record in checked):
        notes += ["%s is not signed, and others are" % record["run"] for record in checked if not record["signature"]]
    notes += ["%s was left by a run that did not end, or is still at work, and is no evidence" % name for name in sorted(
        os.listdir(directory)) if name.endswith(UNFINISHED)]
    return dict(problems=problems, notes=notes)
