# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  base_url:
    description:
      - The tenant's FQDN, to which C(https://api-) is added, or the whole address of the API.
      - Plain V(http://) is accepted for loopback addresses only.
      - Tenants are told apart by scheme, host, port, and path of this address, and credentials are sent to no other.
      - If not given, the environment variable C(CORTEX_FQDN) is used.
    type: str
    required: true
  api_key_id:
    description:
      - ID of the API key.
      - If not given, the environment variable C(CORTEX_API_KEY_ID) is used.
    type: str
    required: true
  api_key:
    description:
      - The API key.
      - If not given, the environment variable C(CORTEX_API_KEY) is used.
    type: str
    required: true
  api_key_type:
    description:
      - Security level with which the key was made. Requests with an V(advanced) key are signed, each anew.
      - If not given, the environment variable C(CORTEX_API_KEY_TYPE) is used.
    type: str
    choices: [advanced, standard]
    default: advanced
"""
