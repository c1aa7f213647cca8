# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives ansible-test the pip installer that it downloads from a host which many mirrors and proxies do not serve.

ansible-test fetches get-pip.py from its own host, not from PyPI, and stops when it cannot. When that host does not
answer, this makes a stand-in from the same version's wheel, which does come from PyPI, and puts it where ansible-test
looks first.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

CACHE = Path("~/.ansible/test/cache").expanduser()
URL = "https://ci-files.testing.ansible.com/ansible-test/get-pip-{version}.py"

STAND_IN = """\
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, {wheel!r}))
from pip._internal.cli.main import main

arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.exit(main(["install", "--find-links", here] + arguments))
"""


def wanted_version() -> str:
    """The version of pip that the installed ansible-test puts into its environments."""
    spec = importlib.util.find_spec("ansible_test")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("ansible-test is not installed in this environment")
    source = Path(next(iter(spec.submodule_search_locations)), "_internal/python_requirements.py")
    found = re.search(r"\bpip='([\d.]+)'", source.read_text(encoding="utf-8"))
    if not found:
        raise SystemExit("cannot tell which version of pip ansible-test wants; leaving it to ansible-test")
    return found[1]


def download(version: str) -> bytes | None:
    try:
        with urllib.request.urlopen(URL.format(version=version), timeout=10) as response:
            content = response.read()
    except OSError:
        return None
    # A proxy's error page may well come with status 200.
    return content if b"import pip" in content or b"pip._internal" in content else None


def stand_in(version: str) -> bytes:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-qq",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--disable-pip-version-check",
            "--dest",
            str(CACHE),
            f"pip=={version}",
        ],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return STAND_IN.format(wheel=f"pip-{version}-py3-none-any.whl").encode()


def main() -> int:
    version = wanted_version()
    target = CACHE / f"get_pip_{version.replace('.', '_')}.py"
    if target.exists():
        return 0
    CACHE.mkdir(parents=True, exist_ok=True)
    content = download(version)
    if content is None:
        print(f"The host that serves get-pip to ansible-test does not answer: taking pip {version} from PyPI")
        content = stand_in(version)
    temporary = target.with_name(f"{target.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
