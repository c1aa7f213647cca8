# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results of the benchmark as text, as Markdown, and as a picture. Measures nothing."""

from __future__ import annotations

NAMES = {
    "uri": "uri",
    "peer": "script",
    "floor": "floor",
    "verify": "verify",
    "peer_unlimited": "script, no limit",
    "floor_unlimited": "floor, no limit",
    "verify_unlimited": "verify, no limit",
}
# heading, width, function of a row (None where there is nothing to say)
COLUMNS = (
    ("seconds", 9, lambda row: number(row["seconds"]) + ("" if row["measured"] or "floor" in row["side"] else "*")),
    ("growth", 7, lambda row: row["growth"] and "x%.1f" % row["growth"]),
    ("a target", 9, lambda row: "%.3f" % row["seconds_per_target"]),
    ("CPU s", 8, lambda row: number(row.get("cpu_seconds"))),
    ("contr. MB", 10, lambda row: number(row.get("controller_mb"), 0)),
    ("module MB", 10, lambda row: number(row.get("worker_mb"), 0)),
    ("all MB", 7, lambda row: number(row.get("together_mb"), 0)),
    ("result kB", 10, lambda row: number(row.get("largest_result_kb"), 0)),
    ("requests", 9, lambda row: "%d" % row["requests"] + ("" if row["measured"] or "floor" in row["side"] else "*")),
    ("growth", 7, lambda row: row.get("requests_growth") and "x%.1f" % row["requests_growth"]),
    ("/ floor", 8, lambda row: row.get("requests_ratio") and "%.2f" % row["requests_ratio"]),
    ("429", 5, lambda row: "%d" % row["refused"] if row["measured"] else None),
    ("s / floor", 10, lambda row: row.get("floor_ratio") and "%.2f" % row["floor_ratio"]),
    ("script /", 9, lambda row: row.get("peer_ratio") and "%.2f" % row["peer_ratio"]),
    ("uri /", 7, lambda row: row.get("uri_ratio") and "%.1f" % row["uri_ratio"]),
)
LEGEND = """\
growth: seconds, as a multiple of the former row of the same side. a target: seconds divided by targets. contr., module:
most memory of ansible-playbook's own process, and of any other of its processes (resident; what they share counts in
both). all: most memory of all of them at one time. result: the largest result of a task. requests, growth, / floor: of the
requests. 429: of them, those refused. s / floor: seconds as a multiple of the floor's. script /, uri /: their seconds as a
multiple of these. *: extrapolated."""
BEGIN, END = "<!-- begin: made by tests/benchmark/run.py -->", "<!-- end: made by tests/benchmark/run.py -->"


def number(value, digits=1):
    """A number as text, with thousands apart; None stays None."""
    return None if value is None else "{:,.{}f}".format(value, digits)


def cells(row):
    """The row's texts, an empty one where there is nothing to say."""
    return [function(row) or "" for _heading, _width, function in COLUMNS]


# --- Text


def text_settings(results):
    """One paragraph on what is measured."""
    return (
        "Scans take %(scan_seconds)g s, reports %(report_seconds)g s, each request %(latency_ms)g ms; a look at least "
        "every %(wait_interval)d s. The simulator allows %(rate_limit)d requests in 10 s,\nand none of these limits "
        'on the rows "no limit". ansible-core %(ansible)s, Python %(python)s, %(cores)d cores.'
    ) % dict(results["settings"], **results["machine"], latency_ms=results["settings"]["latency"] * 1000)


def text_header():
    """The head of the table."""
    return (
        LEGEND
        + "\n\n%9s %-10s %-17s" % ("targets", "", "side")
        + "".join(heading.rjust(width) for heading, width, _function in COLUMNS)
    )


def text_row(row):
    """One line of the table."""
    return "%9s %-10s %-17s" % (number(row["count"], 0), row["kind"], NAMES[row["side"]]) + "".join(
        text.rjust(width) for text, (_heading, width, _function) in zip(cells(row), COLUMNS)
    )


def again_text(rows):
    """Second runs."""
    lines = [
        "Everything is known: %s exposures and %d campaigns, verified once more, no limit"
        % (number(rows[0]["exposures"], 0), rows[0]["campaigns"])
    ]
    for row in rows:
        counts = ", ".join("%d %s" % (count, name) for name, count in row["by_operation"].items() if count)
        lines.append("%14s: %.1f s, %d requests (%s)" % (row["name"], row["seconds"], row["requests"], counts))
    return "\n".join(lines)


def tax_text(tax):
    """The start-up tax."""
    lines = [
        "The start-up tax: one campaign and one exposure whose scans end at once, against a playbook that does nothing "
        "in five module calls"
    ]
    for name in ("verify", "bare"):
        lines.append(
            "%12s: %.2f s, %.2f s CPU, %d tasks, %d processes"
            % (name, tax[name]["seconds"], tax[name]["cpu_seconds"], tax[name]["tasks"], tax[name]["processes"])
        )
    return "\n".join(lines + ["%12s: %.2f (CPU %.2f)" % ("ratio", tax["ratio"], tax["cpu_ratio"])])


def loop_text(rows):
    """The cost of an item in a loop."""
    lines = ["A loop of single items: seconds an item"]
    for row in rows:
        lines.append(
            "%26s: %.4f (%d items, %d requests, %d tokens, %d connections)%s"
            % (
                row["side"],
                row["seconds_per_item"],
                row["items"],
                row["requests"],
                row["tokens"],
                row["connections"],
                ", %.3f of what uri costs" % row["ratio"] if "ratio" in row else "",
            )
        )
    return "\n".join(lines)


def tenants_text(tenants):
    """Across tenants."""
    lines = ["Tenants in one run, each with 20 exposures and 2 campaigns"]
    for cost in (tenants["one"], tenants["many"]):
        lines.append(
            "%4d: %.1f s, %.1f s CPU, %.0f MB in all processes together, %d requests, %d refused"
            % (cost["tenants"], cost["seconds"], cost["cpu_seconds"], cost["together_mb"], cost["requests"], cost["refused"])
        )
    return "\n".join(
        lines
        + [
            "%.2f times the seconds of one tenant alone; %.1f s would be its seconds and the others' CPU "
            "seconds on %d cores" % (tenants["ratio"], tenants["expected"], tenants["cores"])
        ]
    )


def report_text(report):
    """Reading a report."""
    return (
        "Reading a remediation report of %(rows)d rows (%(file_mb)s MB): %(seconds)s s, %(peak_mb)s MB; keeping every "
        "row takes %(naive_seconds)s s, %(naive_peak_mb)s MB"
    ) % report


def access_text(access):
    """From the look at revoked access to the check of its evidence."""
    lines = ["Revoked items of one campaign: CPU seconds and the most memory of a process"]
    for row in access["rows"]:
        costs = ", ".join(
            "%s %.0f s, %.0f MB" % (name, row[name]["cpu_seconds"], row[name]["peak_mb"]) for name in access["growth"]
        )
        lines.append("%9s: %s (a record of %.0f MB)" % (number(row["items"], 0), costs, row["file_mb"]))
    growth = ", ".join("%s %.2f" % one for one in access["growth"].items())
    return "\n".join(lines + ["%9s: %s times the memory" % ("growth", growth)])


PARTS = {
    "again": again_text,
    "tax": tax_text,
    "loop": loop_text,
    "tenants": tenants_text,
    "report": report_text,
    "access": access_text,
}


def text(results):
    """Everything."""
    parts = [text_settings(results)]
    if "rows" in results:
        parts.append("\n".join([text_header(), *map(text_row, results["rows"])]))
    return "\n\n".join(parts + [part(results[name]) for name, part in PARTS.items() if name in results])


# --- Markdown


def markdown_table(headings, rows):
    """A table; all columns but the first two are numbers."""
    lines = [headings, ["---", "---"] + ["---:"] * (len(headings) - 2), *rows]
    return "\n".join("| %s |" % " | ".join(line) for line in lines)


def markdown(results):
    """What the documentation shows."""
    parts = [text_settings(results).replace("\n", " ")]
    for kind in ("exposures", "campaigns"):
        rows = [row for row in results.get("rows", ()) if row["kind"] == kind]
        if rows:
            parts.append(
                markdown_table(
                    [kind, "side", *(heading for heading, _width, _function in COLUMNS)],
                    [[number(row["count"], 0), NAMES[row["side"]], *cells(row)] for row in rows],
                )
            )
    if not all(row["measured"] or "floor" in row["side"] for row in results.get("rows", ())):
        parts.append("\\* extrapolated: on the line through the two largest that were measured.")
    parts += ["```text\n%s\n```" % part(results[name]) for name, part in PARTS.items() if name in results]
    return "\n\n".join(parts)


def write_markdown(results, path):
    """Replaces what is between the two marker comments of a file."""
    page = path.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit("%s has no lines %s and %s" % (path, BEGIN, END))
    path.write_text("%s%s\n\n%s\n\n%s%s" % (before, begin, markdown(results), end, after), encoding="utf-8")


# --- Picture

# side: colour (told apart by those who see no red or green, too), line, marker, text at the end of the line
STYLES = {
    "uri": ("#b45309", "-", "o", "uri loops"),
    "peer": ("#7e22ce", "-", "s", "script, 100 requests in 10 s"),
    "peer_unlimited": ("#c084d8", "-", "s", "script, no limit"),
    "verify": ("#1d4ed8", "-", "o", "verify, 100 requests in 10 s"),
    "floor": ("#93a8d6", "--", None, "floor, 100 requests in 10 s"),
    "verify_unlimited": ("#0f766e", "-", "o", "verify, no limit"),
    "floor_unlimited": ("#8fc1bb", "--", None, "floor, no limit"),
}


def draw(results, path):
    """Draws the growth of all sides, double logarithmic, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot
    from matplotlib.ticker import FuncFormatter, NullLocator

    # Texts stay texts, and the same results make the same file.
    matplotlib.rcParams.update(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "secops.remediation",
            "font.family": "sans-serif",
            "font.size": 10,
            "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"],
        }
    )
    kinds = [kind for kind in ("exposures", "campaigns") if any(row["kind"] == kind for row in results["rows"])]
    figure, panels = pyplot.subplots(1, len(kinds), figsize=(5.4 * len(kinds), 5), sharey=True, squeeze=False)
    for kind, panel in zip(kinds, panels[0]):
        rows = [row for row in results["rows"] if row["kind"] == kind]
        for side, style in STYLES.items():
            draw_side(panel, [row for row in rows if row["side"] == side], style)
        counts = sorted({row["count"] for row in rows})
        panel.set(xscale="log", yscale="log", xlabel=kind, xticks=counts)
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: number(value, 0)))
        panel.xaxis.set_minor_locator(NullLocator())
        seconds = [mark for mark in SECONDS if mark <= max(row["seconds"] for row in results["rows"]) * 1.5]
        panel.set_yticks([mark for mark in seconds if mark >= min(row["seconds"] for row in results["rows"]) / 2])
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: SECONDS.get(value, "")))
        panel.yaxis.set_minor_locator(NullLocator())
        panel.grid(color="#e5e7eb", linewidth=0.8)
        panel.tick_params(length=0, colors="#374151")
        panel.spines[:].set_visible(False)
        panel.spines["bottom"].set(visible=True, color="#9ca3af")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=3, frameon=False, fontsize=9.5)
    figure.suptitle("Time to verify (both axes logarithmic; hollow: extrapolated)", fontsize=12, color="#111827")
    figure.tight_layout(rect=(0, 0.1, 1, 1))
    figure.savefig(path, format="svg", facecolor="white", metadata={"Date": None})
    pyplot.close(figure)


SECONDS = {
    1: "1 s",
    5: "5 s",
    10: "10 s",
    30: "30 s",
    60: "1 min",
    300: "5 min",
    900: "15 min",
    3600: "1 h",
    7200: "2 h",
    14400: "4 h",
}


def draw_side(panel, rows, style):
    """One line: whole where it was measured, dotted on the way to what was extrapolated."""
    colour, line, marker, label = style
    if not rows:
        return
    solid = [row for row in rows if row["measured"] or marker is None]
    panel.plot(
        [row["count"] for row in solid],
        [row["seconds"] for row in solid],
        line,
        color=colour,
        marker=marker,
        markersize=5,
        linewidth=2,
        label=label,
    )
    dotted = rows[max(0, len(solid) - 1) :]
    if len(dotted) > 1:
        panel.plot([row["count"] for row in dotted], [row["seconds"] for row in dotted], ":", color=colour, linewidth=2)
        panel.plot(
            [row["count"] for row in dotted[1:]],
            [row["seconds"] for row in dotted[1:]],
            "o",
            color=colour,
            markersize=5,
            markerfacecolor="white",
        )
