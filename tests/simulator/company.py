# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The data: Brightwater Logistics, a small company, and as many generated campaigns and exposures as are wanted.

All ids are constants; all times are so many days before the simulator's start.
"""

from __future__ import annotations

import uuid

DAY = 86400

# --- Certification campaigns

FINANCE = "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a01"  # every revoked access gone after a scan; an old report says no
WAREHOUSE = "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a02"  # two items still open after a scan
BOARD_PORTAL = "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a03"  # nothing was revoked
HAMBURG = "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a04"  # a status column and words that nobody knows
SALES = "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a05"  # its report ends in ERROR
MANAGERS = "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a06"  # ACTIVE
CONTRACTORS = "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a07"  # STAGED
ROLES = "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a08"  # ERROR
LAST_YEAR = "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a09"  # ARCHIVED
MIGRATED = "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a10"  # status null, and a field that is not in the specification
PRIVILEGED = "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a11"  # every revoked access gone after a scan; no report yet
BADGES = "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a12"  # one item still open after a scan
VENDORS = "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a13"  # a report says that all is gone, and an identity still has one item

CAMPAIGN_IDS = (
    FINANCE,
    WAREHOUSE,
    BOARD_PORTAL,
    HAMBURG,
    SALES,
    MANAGERS,
    CONTRACTORS,
    ROLES,
    LAST_YEAR,
    MIGRATED,
    PRIVILEGED,
    BADGES,
    VENDORS,
)

# The report that the Finance campaign had before anybody scanned.
FINANCE_OLD_REPORT = "c4d7e8a1b2f34c5d9e60718293a4b501"
REMEDIATION_REPORT = "CAMPAIGN_REMEDIATION_STATUS_REPORT"

STATUS_COLUMN = "Remediation Status"
WORDS = {"remediated": "Remediated", "open": "Open"}
# Identity attributes that this tenant adds to its reports.
IDENTITY_COLUMNS = ("Employee Number", "Department", "Work Location")

# name, account, employee number, department, location
PEOPLE = {
    "osei": ("Abena Osei", "aosei", "10023", "Finance", "Rotterdam"),
    "lindqvist": ("Åsa Lindqvist", "alindqvist", "10031", "Finance", "Göteborg"),
    "novak": ("Jiří Novák", "jnovak", "10044", "Warehouse Operations", "Brno"),
    "obrien": ("O'Brien, Niamh", "nobrien", "10052", "Customs, Duties and Tax", "Dublin"),
    "tanaka": ("田中 美咲", "mtanaka", "10060", "Freight Forwarding", "Yokohama"),
    "marchetti": ("Luca Marchetti", "lmarchetti", "10067", "Warehouse Operations", "Genova"),
    "haddad": ("Rania Haddad", "rhaddad", "10071", "Sales", "Marseille"),
    "brandt": ("Jörg Brandt", "jbrandt", "10078", "Niederlassung Hamburg", "Hamburg"),
    "weiss": ("Käthe Weiß", "kweiss", "10083", "Niederlassung Hamburg", "Hamburg"),
    "singh": ("Harpreet Singh", "hsingh", "10090", "IT Infrastructure", "Felixstowe"),
    "okafor": ("Chidi Okafor", "cokafor", "10095", "IT Infrastructure", "Rotterdam"),
    "duarte": ("Inês Duarte", "iduarte", "10102", "Facilities", "Lisboa"),
}
REVIEWERS = ("Margriet de Vries", "Tomáš Horák", "Sofia Andersson")

# The items that reviewers revoked: person, source, type, access, comment, open after a scan.
REVOKED = {
    FINANCE: (
        ("osei", "SAP S/4HANA", "ENTITLEMENT", "FI_AP_PAYMENT_RUN", "Moved to controlling, runs no payments", False),
        ("lindqvist", "SAP S/4HANA", "ENTITLEMENT", "FI_GL_POST", "", False),
        ("obrien", "SAP S/4HANA", "ROLE", "Accounts Payable, Approver", "One hand:\npays and approves", False),
        ("tanaka", "Coupa", "ACCESS_PROFILE", 'Invoice Approver "EMEA"', "Region closed", False),
        (
            "marchetti",
            "Active Directory",
            "ENTITLEMENT",
            "CN=Finance-Share-RW,OU=Groups,DC=brightwater,DC=example",
            "Left the project",
            False,
        ),
        ("haddad", "Coupa", "ACCESS_PROFILE", "Supplier Maintenance", "", False),
    ),
    WAREHOUSE: (
        ("novak", "Manhattan WMS", "ENTITLEMENT", "WMS_INVENTORY_ADJUST", "Shift lead only", False),
        ("marchetti", "Manhattan WMS", "ENTITLEMENT", "WMS_SUPERVISOR", "Not a supervisor any more", True),
        ("duarte", "Manhattan WMS", "ENTITLEMENT", "WMS_REPORTING", "", False),
        ("tanaka", "Yard Management", "ENTITLEMENT", "YARD_GATE_OVERRIDE", "Managed by hand, ticket opened", True),
        ("obrien", "Yard Management", "ENTITLEMENT", "YARD_READ", "", False),
    ),
    BOARD_PORTAL: (),
    HAMBURG: (
        ("brandt", "SAP S/4HANA", "ENTITLEMENT", "ZOLL_ANMELDUNG", "Nicht mehr im Zollteam", False),
        ("weiss", "SAP S/4HANA", "ENTITLEMENT", "LAGER_BUCHEN", "Abteilung gewechselt; Übergabe erledigt", False),
        ("brandt", "Active Directory", "ENTITLEMENT", "CN=HH-Leitung,OU=Gruppen,DC=brightwater,DC=example", "", True),
    ),
    SALES: (
        ("haddad", "Salesforce", "ENTITLEMENT", "Profile: System Administrator", "Was for the migration only", False),
        ("osei", "Salesforce", "ENTITLEMENT", "PermissionSet: Export Reports", "", False),
    ),
    LAST_YEAR: (("singh", "Active Directory", "ENTITLEMENT", "CN=VPN-Legacy,OU=Groups,DC=brightwater,DC=example", "", False),),
    PRIVILEGED: (
        (
            "singh",
            "Active Directory",
            "ENTITLEMENT",
            "CN=Domain Admins,CN=Users,DC=brightwater,DC=example",
            "Uses a separate admin account",
            False,
        ),
        ("okafor", "AWS", "ROLE", "AdministratorAccess (prod)", "", False),
        ("singh", "CyberArk", "ENTITLEMENT", "Safe: NETWORK-CORE, full", "", False),
        ("okafor", "Active Directory", "ENTITLEMENT", "CN=Backup Operators,CN=Builtin,DC=brightwater,DC=example", "", False),
    ),
    BADGES: (
        ("duarte", "Lenel OnGuard", "ENTITLEMENT", "Zone 4: bonded store", "", False),
        ("novak", "Lenel OnGuard", "ENTITLEMENT", "Zone 7: server room", "Door controller offline", True),
        ("marchetti", "Lenel OnGuard", "ENTITLEMENT", "Zone 4: bonded store", "", False),
    ),
    VENDORS: (
        ("haddad", "Ariba", "ENTITLEMENT", "SUPPLIER_MASTER_EDIT", "Sourcing only", False),
        ("tanaka", "Ariba", "ENTITLEMENT", "SUPPLIER_BANK_DATA", "Four eyes: may not release payments, too", False),
        ("obrien", "Ariba", "ENTITLEMENT", "SUPPLIER_READ", "", False),
    ),
}
# The item that a role gave again after VENDORS' report was right.
GIVEN_AGAIN = 2

# id, name, description, type, status, days since it was created, days since it was changed
_CAMPAIGNS = (
    (FINANCE, "Finance Systems Review Q3", "Who can move money", "SOURCE_OWNER", "COMPLETED", 40, 6),
    (WAREHOUSE, "Warehouse Management Review", "WMS and yard systems", "SOURCE_OWNER", "COMPLETED", 35, 5),
    (BOARD_PORTAL, "Board Portal Review", "All access was kept", "SEARCH", "COMPLETED", 30, 9),
    (HAMBURG, "Zugriffsprüfung Niederlassung Hamburg", "Prüfung durch die Fachbereiche", "MANAGER", "COMPLETED", 28, 4),
    (SALES, "Salesforce Entitlement Review", "Profiles and permission sets", "SOURCE_OWNER", "COMPLETED", 27, 8),
    (MANAGERS, "Manager Review Q4", "Every manager reviews their team", "MANAGER", "ACTIVE", 10, 1),
    (CONTRACTORS, "Contractor Access Review", "Agency and contract staff", "SEARCH", "STAGED", 3, 3),
    (ROLES, "Role Composition Review", "What the roles contain", "ROLE_COMPOSITION", "ERROR", 20, 19),
    (LAST_YEAR, "Manager Review Q4 (last year)", "Every manager reviews their team", "MANAGER", "ARCHIVED", 370, 330),
    (MIGRATED, "Legacy Review (imported)", None, "MANAGER", None, 400, None),
    (PRIVILEGED, "Privileged Access Review", "Administrators of anything", "SEARCH", "COMPLETED", 15, 2),
    (BADGES, "Site Badge Review", "Doors of bonded and server rooms", "SOURCE_OWNER", "COMPLETED", 14, 3),
    (VENDORS, "Vendor Portal Review", "Who can change where money goes", "SOURCE_OWNER", "COMPLETED", 13, 2),
)


def _item(number, person, source, access_type, access, comment, decided):
    name, account, employee, department, location = PEOPLE[person]
    return {
        "item": number,
        "identity": name,
        "attributes": [employee, department, location],
        "account": account,
        "source": source,
        "access_type": access_type,
        "access": access,
        "reviewer": REVIEWERS[number % len(REVIEWERS)],
        "decision": "REVOKED",
        "decided_at": decided,
        "comment": comment,
        "open": True,
    }


def campaign(campaign_id, name, status, now, description=None, kind="MANAGER", created_days=20, modified_days=5):
    """One campaign: what the API shows of it, and how the simulator treats it."""
    created = int((now - created_days * DAY) * 1000) + 611
    modified = None if modified_days is None else int((now - modified_days * DAY) * 1000) + 227
    done = status in ("COMPLETED", "ARCHIVED")
    return {
        "fields": {
            "id": campaign_id,
            "name": name,
            "description": description,
            "deadline": created + 30 * DAY * 1000,
            "type": kind,
            "status": status,
            "emailNotificationEnabled": True,
            "autoRevokeAllowed": False,
            "recommendationsEnabled": False,
            "correlatedStatus": "CORRELATED",
            "created": created,
            "totalCertifications": 12,
            "completedCertifications": 12 if done else 4,
            "alerts": None,
        },
        "full_fields": {
            "modified": modified,
            "filter": None,
            "sunsetCommentsRequired": True,
            "sourceOwnerCampaignInfo": None,
            "searchCampaignInfo": None,
            "roleCompositionCampaignInfo": None,
            "sourcesWithOrphanEntitlements": [],
            "mandatoryCommentRequirement": "NO_DECISIONS",
        },
        "settings": {
            "scan_seconds": None,
            "report_seconds": None,
            "modified_moves": "end",
            "report_status": "SUCCESS",
            "status_column": STATUS_COLUMN,
            "words": dict(WORDS),
            "identity_columns": list(IDENTITY_COLUMNS),
            "items": [],
            "scan_result": [],
            "report_csv": None,
            "csv_bom": False,
        },
        "reports": [],
    }


def campaigns(now):
    """The company's campaigns."""
    result = []
    for campaign_id, name, description, kind, status, created_days, modified_days in _CAMPAIGNS:
        one = campaign(campaign_id, name, status, now, description, kind, created_days, modified_days)
        settings = one["settings"]
        decided = int((now - ((modified_days or 0) + 1) * DAY) * 1000)
        for number, (*revoked, stays_open) in enumerate(REVOKED.get(campaign_id, ()), 1):
            settings["items"].append(_item(number, *revoked, decided))
            if stays_open:
                settings["scan_result"].append(number)
        result.append(one)
        if campaign_id == FINANCE:
            one["reports"].append(
                {"id": FINANCE_OLD_REPORT, "type": REMEDIATION_REPORT, "last_run_at": int((now - 5 * DAY) * 1000) + 385}
            )
        elif campaign_id == BOARD_PORTAL:
            one["reports"].append(
                {
                    "id": "c4d7e8a1b2f34c5d9e60718293a4b502",
                    "type": "CAMPAIGN_STATUS_REPORT",
                    "last_run_at": int((now - 8 * DAY) * 1000) + 14,
                }
            )
        elif campaign_id == HAMBURG:
            settings["status_column"] = "Bearbeitungsstand"
            settings["words"] = {"remediated": "Vollzogen", "open": "Schwebend"}
        elif campaign_id == VENDORS:
            settings["items"][GIVEN_AGAIN - 1].update(held=True, case="given_again")
        elif campaign_id == SALES:
            settings["report_status"] = "ERROR"
        elif campaign_id == ROLES:
            one["fields"]["alerts"] = [
                {
                    "level": "ERROR",
                    "localizations": [
                        {"locale": "en-US", "localeOrigin": "DEFAULT", "text": "A role has no owner; no reviewer was found."}
                    ],
                }
            ]
        elif campaign_id == MIGRATED:
            one["fields"]["migrationStatus"] = "NOT_MIGRATED"
    return result


def generated_campaigns(count, now):
    """So many COMPLETED campaigns whose revoked access is gone after a scan."""
    people = list(PEOPLE)
    result = []
    for number in range(1, count + 1):
        one = campaign(
            uuid.uuid5(uuid.NAMESPACE_OID, "campaign %d" % number).hex,
            "Generated Review %05d" % number,
            "COMPLETED",
            now,
            "Generated",
            created_days=20 + number / 1000,
        )
        decided = int((now - 6 * DAY) * 1000)
        for item in range(1, 6):
            one["settings"]["items"].append(
                _item(
                    item,
                    people[(number + item) % len(people)],
                    "Active Directory",
                    "ENTITLEMENT",
                    "CN=Group-%d-%d" % (number, item),
                    "",
                    decided,
                )
            )
        result.append(one)
    return result


# --- Exposures

# rule id: name, severity, port, protocol, kind of service
RULES = {
    "RdpServer": ("RDP Server", "high", 3389, "TCP", "RdpServer"),
    "InsecureOpenSSH": ("Insecure OpenSSH", "high", 22, "TCP", "SshServer"),
    "ExpiredWhenScannedCertificate": ("Expired When Scanned Certificate", "medium", 443, "TCP", "HttpServer"),
    "TelnetServer": ("Telnet Server", "high", 23, "TCP", "TelnetServer"),
    "UnencryptedFtpServer": ("Unencrypted FTP Server", "medium", 21, "TCP", "FtpServer"),
    "SmbServer": ("SMB Server", "critical", 445, "TCP", "SmbServer"),
    "InsecureMicrosoftExchangeServer": ("Insecure Microsoft Exchange Server", "critical", 443, "TCP", "HttpServer"),
    "MissingXXssProtectionHeader": ("Missing X-XSS-Protection Header", "low", 443, "TCP", "HttpServer"),
    "SnmpServer": ("SNMP Server", "medium", 161, "UDP", "SnmpServer"),
    "MysqlServer": ("MySQL Server", "high", 3306, "TCP", "MysqlServer"),
    "PostgresServer": ("PostgreSQL Server", "high", 5432, "TCP", "PostgresServer"),
    "VncServer": ("VNC Server", "high", 5900, "TCP", "VncServer"),
    "RedisServer": ("Redis Server", "critical", 6379, "TCP", "RedisServer"),
}

REMEDIATED = ("SUCCESS", "REMEDIATED")
UNREMEDIATED = ("SUCCESS", "UNREMEDIATED")
TIMEOUT = ("FAILED_TIMEOUT", None)
FAILED = ("FAILED_ERROR", None)
UNKNOWN_WORD = ("DEFERRED_BY_POLICY", None)

NO_RULE_ALERT = 4139
NO_SERVICE_ALERT = 4140
TWO_SERVICES_ALERT = 4112

# alert, case, rule, address, host name, what a scan finds at each of its services
_ALERTS = (
    (4101, 71, "RdpServer", "192.0.2.14", "", (REMEDIATED,)),
    (4102, 71, "SmbServer", "192.0.2.14", "", (REMEDIATED,)),
    (4103, 71, "VncServer", "192.0.2.14", "", (UNREMEDIATED,)),
    (4104, 72, "InsecureOpenSSH", "192.0.2.21", "sftp", (REMEDIATED,)),
    (4105, 72, "UnencryptedFtpServer", "192.0.2.21", "sftp", (REMEDIATED,)),
    (4106, 73, "ExpiredWhenScannedCertificate", "192.0.2.35", "track", (REMEDIATED,)),
    (4107, 73, "MissingXXssProtectionHeader", "192.0.2.35", "track", (REMEDIATED,)),
    (4108, 74, "InsecureMicrosoftExchangeServer", "198.51.100.8", "mail", (REMEDIATED,)),
    (4109, 74, "ExpiredWhenScannedCertificate", "198.51.100.8", "mail", (REMEDIATED,)),
    (4110, 75, "TelnetServer", "198.51.100.17", "", (UNREMEDIATED,)),
    (4111, 75, "SnmpServer", "198.51.100.17", "", (TIMEOUT,)),
    (4112, 76, "InsecureOpenSSH", "198.51.100.23", "edi", (REMEDIATED, REMEDIATED)),
    (4113, 77, "MysqlServer", "198.51.100.40", "", (REMEDIATED,)),
    (4114, 77, "RedisServer", "198.51.100.40", "", (REMEDIATED,)),
    (4115, 77, "PostgresServer", "198.51.100.41", "", (REMEDIATED,)),
    (4116, 78, "RdpServer", "198.51.100.66", "", (REMEDIATED,)),
    (4117, 78, "RdpServer", "198.51.100.67", "", (REMEDIATED,)),
    (4118, 78, "RdpServer", "198.51.100.68", "", (UNREMEDIATED,)),
    (4119, 79, "ExpiredWhenScannedCertificate", "203.0.113.5", "portal", (REMEDIATED,)),
    (4120, 80, "ExpiredWhenScannedCertificate", "203.0.113.6", "customs", (REMEDIATED,)),
    (4121, 81, "InsecureOpenSSH", "203.0.113.12", "", (REMEDIATED,)),
    (4122, 81, "InsecureOpenSSH", "203.0.113.13", "", (REMEDIATED,)),
    (4123, 81, "InsecureOpenSSH", "203.0.113.14", "", (REMEDIATED,)),
    (4124, 82, "SmbServer", "203.0.113.29", "", (REMEDIATED,)),
    (4125, 82, "SmbServer", "203.0.113.30", "", (FAILED,)),
    (4126, 83, "UnencryptedFtpServer", "203.0.113.44", "ftp", (REMEDIATED,)),
    (4127, 84, "MissingXXssProtectionHeader", "203.0.113.50", "www", (UNREMEDIATED,)),
    (4128, 84, "MissingXXssProtectionHeader", "203.0.113.51", "jobs", (REMEDIATED,)),
    (4129, 85, "SnmpServer", "203.0.113.71", "", (REMEDIATED,)),
    (4130, 85, "SnmpServer", "203.0.113.72", "", (TIMEOUT,)),
    (4131, 86, "TelnetServer", "203.0.113.90", "", (REMEDIATED,)),
    (4132, 86, "TelnetServer", "203.0.113.91", "", (REMEDIATED,)),
    (4133, 87, "VncServer", "192.0.2.101", "", (REMEDIATED,)),
    (4134, 88, "PostgresServer", "192.0.2.120", "", (REMEDIATED,)),
    (4135, 88, "MysqlServer", "192.0.2.121", "", (REMEDIATED,)),
    (4136, 89, "InsecureMicrosoftExchangeServer", "192.0.2.140", "legacy-mail", (UNKNOWN_WORD,)),
    (4137, 90, "ExpiredWhenScannedCertificate", "192.0.2.152", "vpn", (REMEDIATED,)),
    (4138, 91, "RdpServer", "192.0.2.160", "", (REMEDIATED,)),
    (4139, 92, None, "192.0.2.171", "", (REMEDIATED,)),
    (4140, 92, "RdpServer", "192.0.2.172", "", ()),
)
ALERT_IDS = tuple(row[0] for row in _ALERTS)


def service_id(alert_id, number=0):
    """The UUID of an alert's first (second, …) service."""
    return str(uuid.uuid3(uuid.NAMESPACE_DNS, "service-%d.%d.brightwater.example" % (number, alert_id)))


def exposures(outcome=None):
    """The company's exposures as the three ids; only those with this (status, result) if one is given."""
    return [
        {"alert_internal_id": alert_id, "attack_surface_rule_id": rule, "service_id": service_id(alert_id, number)}
        for alert_id, _case, rule, _address, _host, found in _ALERTS
        if rule
        for number, one in enumerate(found)
        if outcome in (None, one)
    ]


def _alert(alert_id, case_id, rule, address, host, found, created, generated=False):
    name, severity, port, protocol, service = RULES[rule or "RdpServer"]
    business_unit = "Brightwater Logistics"
    domain = "%s.brightwater.example" % host if host else None
    asset = str(uuid.uuid3(uuid.NAMESPACE_DNS, "asset.%s" % address))
    status = "STATUS_010_NEW" if generated or alert_id % 4 else "STATUS_020_UNDER_INVESTIGATION"
    if rule is None:
        name = "Networking Infrastructure"
    return {
        "found": found,
        "fields": {
            "external_id": "%s-0" % uuid.uuid3(uuid.NAMESPACE_DNS, "alert.%d" % alert_id),
            "severity": severity,
            "matching_status": "MATCHED",
            "end_match_attempt_ts": None,
            "local_insert_ts": created + 41_000,
            "last_modified_ts": created + 3_600_000,
            "is_whitelisted": False,
            "starred": severity == "critical",
            "case_id": case_id,
            "alert_type": "Unclassified",
            "resolution_status": status,
            "resolution_comment": None,
            "dynamic_fields": None,
            "tags": ["AR:Registered to You", "BU:%s" % business_unit],
            "last_observed": created + 7_200_000,
            "country_codes": ["NL"],
            "cloud_providers": ["On Prem"],
            "ipv4_addresses": [address],
            "ipv6_addresses": [],
            "domain_names": [domain] if domain else [],
            "service_ids": [service_id(alert_id, number) for number in range(len(found))],
            "website_ids": [],
            "asset_ids": [asset],
            "port_protocol": protocol,
            "attack_surface_rule_id": rule,
            "attack_surface_rule_name": name if rule else None,
            "remediation_guidance": None,
            "asset_identifiers": [
                {
                    "domain": domain,
                    "ipv4Address": address,
                    "ipv6Address": None,
                    "portNumber": port,
                    "portProtocol": protocol,
                    "firstObserved": created,
                    "lastObserved": created + 7_200_000,
                }
            ],
            "business_unit_hierarchies": [
                [
                    {
                        "id": "BU:7c1f3d0e-52a4-4b8e-9d6a-0f1e2d3c4b5a",
                        "name": business_unit,
                        "family": "business_units",
                        "family_alias": "BU",
                        "parent_id": None,
                    }
                ]
            ],
            "alert_id": str(alert_id),
            "detection_timestamp": created,
            "name": "%s at %s:%d" % (name, address, port),
            "category": None,
            "endpoint_id": None,
            "host_ip": None,
            "host_name": domain or address,
            "description": "%s seen from the internet at %s:%d (%s)." % (name, address, port, service),
            "mac_addresses": None,
            "source": "ASM",
            "action": "NOT_AVAILABLE",
            "action_pretty": "N/A",
            "events": [
                {
                    "event_timestamp": created,
                    "action_remote_port": port,
                    "action_remote_ip": None,
                    "action_country": "UNKNOWN",
                    "user_name": None,
                }
            ],
        },
    }


def alerts(now):
    """The company's alerts."""
    created = int((now - 20 * DAY) * 1000)
    return [_alert(*row, created + number * 11 * 3_600_000) for number, row in enumerate(_ALERTS)]


def generated_alerts(count, now):
    """So many alerts with one exposure each, all of them closed."""
    rules = list(RULES)
    networks = ("192.0.2", "198.51.100", "203.0.113")
    created = int((now - 20 * DAY) * 1000)
    return [
        _alert(
            100_001 + number,
            10_001 + number // 5,
            rules[number % len(rules)],
            "%s.%d" % (networks[number % 3], 1 + number // 3 % 254),
            "",
            (REMEDIATED,),
            created + number * 1000,
            True,
        )
        for number in range(count)
    ]
