# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is to say of an exposure, for all forms of the evidence. Private to the collection."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Target
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import dict_at, listed, one_line, words_of
from ansible_collections.secops.remediation.plugins.module_utils._verdict.kinds import Fact, Kind


def alert_fact(name: str, key: str) -> Fact:
    """A fact that the alert says by itself."""
    return Fact(name, lambda target: dict_at(target, "alert").get(key))


def rule(target: Target) -> Any:
    """The attack surface rule by its name or, where the alert is not known, by its id."""
    return dict_at(target, "alert").get("attack_surface_rule_name") or target.get("attack_surface_rule_id")


def rule_and_id(target: Target) -> str:
    """The rule's name, and its id where that is another text."""
    return words_of(list(dict.fromkeys([words_of(rule(target)), words_of(target.get("attack_surface_rule_id"))])))


def addresses(target: Target) -> list[str]:
    """Where an exposure is: its addresses and names. Xpanse writes a list, or one text with commas (seen on tenants)."""
    alert = dict_at(target, "alert")
    found = [alert.get(name) for name in ("ipv4_addresses", "ipv6_addresses", "domain_names")]
    texts = [text for value in found for item in listed(value) for text in words_of(item).split(",")]
    return list(dict.fromkeys(text.strip() for text in texts if text.strip()))


def port(target: Target) -> str:
    """The port, which Xpanse writes at the end of an alert's name, as in `RDP Server at 192.0.2.1:3389`."""
    match = re.search(r" at \S+:([0-9]{1,5})$", words_of(target.get("name")).strip())
    protocol = words_of(dict_at(target, "alert").get("port_protocol"))
    return " ".join(part for part in (match[1] if match else "", protocol) if part)


def business_units(target: Target) -> str:
    """The business units, each with those that it is part of."""
    found = []
    for hierarchy in listed(dict_at(target, "alert").get("business_unit_hierarchies")):
        names = [words_of(unit) for unit in listed(hierarchy)]
        found.append(" \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} ".join(name for name in names if name))
    return ", ".join(dict.fromkeys(unit for unit in found if unit))


def known_as(target: Target) -> str:
    """The alert and the case."""
    parts = (("Alert", target.get("alert_internal_id")), ("case", dict_at(target, "alert").get("case_id")))
    return ", ".join("%s %s" % (noun, one_line(value)) for noun, value in parts if one_line(value))


WHERE = (
    alert_fact("severity", "severity"),
    alert_fact("case_id", "case_id"),
    alert_fact("ip_addresses", "ipv4_addresses"),
    alert_fact("domain_names", "domain_names"),
)
RULE = Fact("attack_surface_rule", rule)
UNITS = alert_fact("business_units", "business_unit_hierarchies")
EXPOSURE_KIND = Kind(
    name="exposure",
    noun="exposure",
    several="Cortex Xpanse exposures",
    system="Cortex Xpanse",
    scan="remediation confirmation scan",
    lane="Xpanse scans",
    still_there="Exposures that are still there",
    risk="Exposure is still there",
    statement="A service that was to be taken off the internet or to be repaired is still seen from there as it was.",
    objective="Exposures that were to be remediated are no longer seen from the internet.",
    families=("ra", "sc", "si"),
    # Of a family that is about people, what is about networks: information flow and remote access.
    controls=("ac-4", "ac-17"),
    subject="An exposure",
    facts=(
        Fact("Alert", lambda target: target.get("alert_internal_id")),
        alert_fact("Case", "case_id"),
        alert_fact("Severity", "severity"),
        alert_fact("State of the alert", "resolution_status"),
        Fact("Address", addresses),
        Fact("Rule", rule_and_id),
        Fact("Service", lambda target: target.get("service_id")),
        Fact("Business unit", business_units),
    ),
    columns=(*WHERE, alert_fact("port_protocol", "port_protocol"), RULE, UNITS),
    item_columns=(
        Fact("alert_id", lambda target: target.get("alert_internal_id")),
        RULE,
        Fact("service_id", lambda target: target.get("service_id")),
        *WHERE[2:],
        Fact("port", port),
        *WHERE[:2],
        UNITS,
    ),
    table=(
        Fact("Address", addresses, "minmax(0, 2.2fr)"),
        Fact("Port", port, "5rem"),
        Fact("Rule", rule),
        Fact("Business unit", business_units),
    ),
    notes=(
        alert_fact("severity", "severity"),
        alert_fact("case", "case_id"),
        alert_fact("business units", "business_unit_hierarchies"),
    ),
    properties=(
        alert_fact("severity", "severity"),
        alert_fact("case-id", "case_id"),
        alert_fact("port-protocol", "port_protocol"),
        Fact("attack-surface-rule", rule),
        alert_fact("business-units", "business_unit_hierarchies"),
    ),
    known_as=known_as,
    severity=lambda target: dict_at(target, "alert").get("severity"),
    addresses=addresses,
)
