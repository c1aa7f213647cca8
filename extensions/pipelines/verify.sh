#!/bin/sh
# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# A job of a pipeline: sh verify.sh verify|start|collect [options of ansible-playbook, such as -e verify_targets_file=targets.yml]
#
# It writes to remediation-evidence/ in the current folder, and puts the evidence of this very run into published/, also if the
# gate fails. Its exit status is that of the play. Credentials are in the environment; SIGNING_KEY may be the text of an SSH
# key, or VERIFY_SIGNING_KEY the path of one.
set -eu

# What an earlier job has left there is no word about this one.
rm -rf published

case "${1:-}" in
  verify) ENTRY_POINT=main ;;
  start | collect) ENTRY_POINT=$1 ;;
  *)
    echo "usage: sh verify.sh verify|start|collect [options of ansible-playbook]" >&2
    exit 64
    ;;
esac
shift
EVIDENCE_DIR=$PWD/remediation-evidence
export ENTRY_POINT EVIDENCE_DIR

latest() {
  # Where there are no links, it is a file with the name.
  readlink "$EVIDENCE_DIR/latest" 2> /dev/null || cat "$EVIDENCE_DIR/latest" 2> /dev/null || true
}

if [ -n "${SIGNING_KEY:-}" ]; then
  VERIFY_SIGNING_KEY=$(mktemp)
  export VERIFY_SIGNING_KEY
  trap 'rm -f "$VERIFY_SIGNING_KEY"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  printf '%s\n' "$SIGNING_KEY" > "$VERIFY_SIGNING_KEY"
  unset SIGNING_KEY
fi

before=$(latest)
status=0
ansible-playbook "$(dirname "$0")/verify.yml" "$@" || status=$?
after=$(latest)
if [ -n "$after" ] && [ "$after" != "$before" ]; then
  cp -R "$EVIDENCE_DIR/$after" published
else
  echo "This job wrote no evidence to $EVIDENCE_DIR, so there is nothing to publish." >&2
  [ "$status" -ne 0 ] || status=1
fi
exit "$status"
