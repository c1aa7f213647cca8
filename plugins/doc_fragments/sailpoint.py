# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  base_url:
    description:
      - Address of the tenant's API, with its scheme, for example V(https://acme.api.identitynow.com).
      - Plain V(http://) is accepted for loopback addresses only.
      - Tenants are told apart by scheme, host, port, and path of this address, and credentials are sent to no other.
      - If not given, the environment variable C(SAIL_BASE_URL) is used.
    type: str
    required: true
  client_id:
    description:
      - Client ID of a personal access token.
      - Its user needs the level C(ORG_ADMIN) or C(CERT_ADMIN). C(REPORT_ADMIN) is enough for campaigns, remediation scans,
        and reports, because what this level may not ask of a single campaign is looked up in the list of them. It is shown no
        certifications, so M(secops.remediation.sailpoint_revoked_access_info) has no answer with it. Of V(next) of
        O(api_version), which is experimental, no levels are documented.
      - If not given, the environment variable C(SAIL_CLIENT_ID) is used.
    type: str
  client_secret:
    description:
      - Client secret of the personal access token.
      - If not given, the environment variable C(SAIL_CLIENT_SECRET) is used.
    type: str
  access_token:
    description:
      - An access token, instead of O(client_id) and O(client_secret). It cannot be renewed when it expires.
      - If not given, the environment variable C(SAIL_ACCESS_TOKEN) is used.
    type: str
  api_version:
    description:
      - Version of the API, which decides the shape of every path. The calls behave alike in all of them.
      - V(v1) is the scheme of one version for each service, C(/campaigns/v1/...). The others come first,
        C(/v2025/campaigns/...).
      - V(next) is experimental. It is for Next Generation Certification Campaigns, C(/certification-campaigns/v1/...).
        SailPoint calls these calls experimental, and so is their support here. They have no remediation scan, so
        M(secops.remediation.sailpoint_campaign_remediation_scan) refuses them.
    type: str
    choices: [v1, v2026, v2025, v2024, v3, beta, next]
    default: v1
"""
