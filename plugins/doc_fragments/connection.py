# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  validate_certs:
    description:
      - Whether the server's TLS certificate is checked.
    type: bool
    default: true
  ca_path:
    description:
      - File with the CA certificates to trust, for an inspecting proxy or a private CA.
      - Without it, the bundle that the C(requests) library uses. With O(use_proxy=true) that is also the one which the
        environment's C(REQUESTS_CA_BUNDLE) names.
    type: path
  use_proxy:
    description:
      - Whether to obey the environment's C(HTTPS_PROXY), C(HTTP_PROXY), C(NO_PROXY), and C(REQUESTS_CA_BUNDLE).
    type: bool
    default: true
  request_timeout:
    description:
      - The deadline of an exchange. Seconds that it may take as a whole, from the connection to the last byte of the answer,
        however slowly the bytes come. Where the module has O(ignore:wait_timeout), no exchange, repetition, or pause goes past
        its end either.
      - The download of a file may take longer, as long as it never falls behind 16 KiB a second by more than this time.
      - Looking up the address of a host is bounded by the resolver of the system only.
    type: int
    default: 30
  retry_timeout:
    description:
      - Seconds for which one request is tried again after HTTP 429, 502, 503, or 504, a broken connection, or an answer that was
        cut off.
      - An HTTP 500 to a request that only reads is tried again like a 503, unless the API's own code in it names another
        error. That one is its answer to this very request.
      - A request that the server may have carried out is only sent again where that does no harm.
      - When several requests have failed like this for so long, and none got an answer meanwhile, what all of them share is
        away, that is the API, a proxy, or the endpoint for tokens. So an outage costs a task this time once. All other requests
        end at once, with the reason, but for one that tries every few seconds whether it is back.
      - A task that waits for scans goes on waiting. What failed like this is looked at again at the next interval, until
        O(ignore:wait_timeout).
    type: int
    default: 120
  concurrency:
    description:
      - How many requests may be under way at once.
    type: int
    default: 24
  rate_limit:
    description:
      - How many requests the module sends in ten seconds at most. V(0) for no limit.
      - SailPoint's published limit is 100 for each client ID and API version. Palo Alto Networks publishes none for
        remediation confirmation scans.
    type: int
    default: 100
requirements:
  - requests >= 2.28.0
"""
