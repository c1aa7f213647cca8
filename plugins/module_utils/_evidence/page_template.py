# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the page looks like: its template, style and script.

Strings, not files of their own, because a module takes only Python files to another host. The page allows itself
exactly this style and this script, by their hashes, so nothing that comes from an API can ever add to them: no style
or event handler may be an attribute. Private to the collection.
"""

from __future__ import annotations

from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import (
    INCONCLUSIVE,
    NEEDS_ACTION,
    PENDING,
    REMEDIATED,
    UNREMEDIATED,
    URGENCY,
)

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f4f6f8; --card: #ffffff; --ink: #19202b; --soft: #535d6c; --line: #d8dde4; --strong: #77818f;
  --link: #0b569f; --focus: #0b569f; --wash: #f0f3f6;
  --remediated: #0f7355; --unremediated: #b5242b; --inconclusive: #8a5800; --pending: #3d5caa;
  --remediated-wash: #e6f4ee; --unremediated-wash: #fcebeb; --inconclusive-wash: #fbf1de; --pending-wash: #e9eefa;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #11151b; --card: #191f27; --ink: #e6eaf0; --soft: #a6b0bd; --line: #303945; --strong: #7d8896;
    --link: #84bcf7; --focus: #84bcf7; --wash: #212933;
    --remediated: #51c69d; --unremediated: #ff8d87; --inconclusive: #e6b04e; --pending: #93b5f6;
    --remediated-wash: #15302a; --unremediated-wash: #3b2023; --inconclusive-wash: #342a16; --pending-wash: #1e2a43;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 4rem; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--ink); font-size: 1rem; line-height: 1.5;
  font-family: -apple-system, BlinkMacSystemFont, "Segoe UI", Inter, Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
}
.wide { max-width: 76rem; margin: 0 auto; padding: 0 1.5rem; }
h1, h2, h3, h4, p, ul, ol, dl, dd, table, figure, fieldset { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h2 { font-size: 1.375rem; line-height: 1.3; letter-spacing: -.01em; }
h3 { font-size: 1.0625rem; line-height: 1.4; }
h4 { font-size: .8125rem; line-height: 1.4; }
a { color: var(--link); text-underline-offset: .15em; }
code, .log td + td:nth-child(2), .all .id { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .85em; }
code, a, td, dd { overflow-wrap: anywhere; }
time, .nowrap { white-space: nowrap; }
svg { display: block; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
[hidden] { display: none !important; }
.unseen {
  position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}
.skip { position: absolute; left: -100rem; top: .5rem; background: var(--card); padding: .5rem 1rem; z-index: 3; }
.skip:focus { left: .5rem; }
main:focus { outline: none; }
.soft { color: var(--soft); }
.small { font-size: .875rem; }
.number { font-variant-numeric: tabular-nums; }

/* --- top --- */
.mast { border-bottom: 1px solid var(--line); background: var(--card); }
.mast .wide { display: flex; flex-wrap: wrap; gap: .25rem 2rem; align-items: center; padding-top: .75rem; padding-bottom: .75rem; }
.mast p { font-weight: 600; margin-right: auto; }
.mast ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; font-size: .875rem; }
.mast li a { display: inline-block; padding: .25rem 0; }

section { margin: 2.5rem 0; }
section > h2 { margin-bottom: .25rem; }
section > h2 + p { color: var(--soft); margin-bottom: 1rem; max-width: 60rem; }
section > h3 { margin: 1.5rem 0 .5rem; display: flex; gap: .5rem; align-items: center; }
section > h3 svg { color: var(--tone); flex: none; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.card + .card { margin-top: .75rem; }
.pad { padding: 1rem 1.25rem; }

.hero { margin: 1.5rem 0 0; border-top: 5px solid var(--tone); padding: 1.5rem 1.75rem 1.75rem; }
.hero h1 { display: grid; grid-template-columns: auto 1fr; gap: 0 1rem; align-items: center; font-weight: 400; }
.hero h1 svg { grid-row: span 2; color: var(--tone); width: 3.25rem; height: 3.25rem; }
.hero h1 .word { font-size: 2.125rem; line-height: 1.15; font-weight: 700; letter-spacing: -.02em; color: var(--tone); }
.hero h1 .rest { font-size: 1.125rem; line-height: 1.4; grid-column: 2; }
.bar { margin: 1.5rem 0 .75rem; }
.bar svg { width: 100%; height: 1.75rem; border-radius: 5px; }
.tally { display: grid; grid-template-columns: repeat(4, 1fr); gap: .75rem 1rem; }
.tally li { display: grid; grid-template-columns: auto 1fr; gap: 0 .75rem; align-items: center; }
.tally .key { grid-row: span 2; border-radius: 4px; }
.tally b { font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tally b small { font-size: .875rem; font-weight: 400; color: var(--soft); }
.facts { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 1rem 2.5rem; }
.facts dd + dd { font-size: .875rem; color: var(--soft); }
.facts dt, .more dt { font-size: .8125rem; color: var(--soft); }

/* --- outcomes: a shape and a word each, the colour only comes on top --- */
.o { display: inline-flex; align-items: center; gap: .375rem; font-weight: 600; white-space: nowrap; }
.o svg { flex: none; }
.remediated { --tone: var(--remediated); --wash-tone: var(--remediated-wash); }
.unremediated { --tone: var(--unremediated); --wash-tone: var(--unremediated-wash); }
.inconclusive { --tone: var(--inconclusive); --wash-tone: var(--inconclusive-wash); }
.pending { --tone: var(--pending); --wash-tone: var(--pending-wash); }
.o, .o svg { color: var(--tone); }
symbol { color: inherit; }
.tag {
  display: inline-block; padding: 0 .5rem; border: 1px solid var(--strong); border-radius: 99px;
  font-size: .8125rem; line-height: 1.5; white-space: nowrap;
}
.tag.critical, .tag.high {
  color: var(--unremediated); border-color: var(--unremediated); background: var(--unremediated-wash); font-weight: 600;
}
.tag.medium { color: var(--inconclusive); border-color: var(--inconclusive); background: var(--inconclusive-wash); }
.why::first-letter { text-transform: uppercase; }
.ground { fill: var(--wash); }
.f-remediated { fill: var(--remediated); }
.f-unremediated { fill: var(--unremediated); }
.f-inconclusive { fill: var(--inconclusive); }
.f-pending { fill: var(--pending); }
.mark { stroke: var(--card); }
.f-mark { fill: var(--card); }
.f-soft { fill: var(--strong); }

/* --- what needs action --- */
.case { border-left: 5px solid var(--tone); }
.many .case { content-visibility: auto; contain-intrinsic-size: auto 14rem; }
.case header { display: flex; flex-wrap: wrap; gap: .125rem 1.5rem; align-items: baseline; padding: 1rem 1.25rem .75rem; }
.case header > :first-child { margin-right: auto; }
.case header .why { flex: 1 0 100%; }
.heard { flex: 1 0 100%; display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr));
  gap: .5rem 1.5rem; margin: .25rem 0 0; padding: 0; list-style: none; overflow-wrap: anywhere; }
.items caption { padding: .5rem 1.25rem; text-align: left; font-size: .875rem; color: var(--soft); }
.case h4 { font-size: 1rem; }
.scroll { position: relative; overflow-x: auto; border-top: 1px solid var(--line); }
.items { width: 100%; border-collapse: collapse; font-size: .8125rem; line-height: 1.4; }
.items th, .items td { text-align: left; vertical-align: top; padding: .5rem .4375rem; overflow-wrap: break-word; }
.items th { color: var(--soft); font-weight: 600; background: var(--wash); vertical-align: bottom; }
.items td { border-top: 1px solid var(--line); }
.items th:first-child, .items td:first-child { padding-left: 1.25rem; }
.items td:first-child { font-weight: 600; }
.case .note { padding: .5rem 1.25rem; border-top: 1px solid var(--line); font-size: .875rem; color: var(--soft); }
.reasons { border-left: 5px solid var(--tone); padding: 0 1.25rem; }
.reasons > li { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: .25rem 2rem; padding: .75rem 0;
  overflow-wrap: anywhere; }
.reasons > li + li { border-top: 1px solid var(--line); }
.named li { padding: .0625rem 0; }
.named .soft { white-space: nowrap; margin-left: .375rem; }
.none { display: flex; gap: .75rem; align-items: center; }
.none svg { color: var(--remediated); flex: none; }

/* --- tables whose rows are grids: only so can a browser leave out the work for rows that nobody sees --- */
.rows, .rows > thead, .rows > tbody { display: block; width: 100%; }
.rows > * > tr { display: grid; grid-template-columns: var(--columns); gap: .125rem 1.25rem; padding: .75rem 1.25rem; }
.rows > tbody > tr { border-top: 1px solid var(--line); scroll-margin-top: 4rem; }
.many .rows > tbody > tr { content-visibility: auto; contain-intrinsic-size: auto 6.5rem; }
.rows > tbody > tr:target { background: var(--wash); box-shadow: inset 5px 0 0 var(--focus); }
.rows > * > tr > * { text-align: left; vertical-align: top; padding: 0; min-width: 0; font-size: .9375rem; }
.rows > thead > tr > th { font-size: .8125rem; color: var(--soft); font-weight: 600; align-self: center; }
.rows > thead { background: var(--wash); border-radius: 10px 10px 0 0; }
.rows > thead > tr { padding-top: .5rem; padding-bottom: .5rem; }
.rows .name { font-weight: 600; }
.rows .id { display: block; font-size: .75rem; color: var(--soft); }
.all { --columns: 8.5rem 5.5rem minmax(0, 3fr) minmax(0, 3.5fr) 7.5rem 6.5rem; }
.all > thead { position: sticky; top: 0; z-index: 2; border-bottom: 1px solid var(--line); }
.all > tbody > tr:first-child { border-top: 0; }
.all .how { grid-column: 1 / -1; }
.all > tbody > tr > td:nth-child(6) time { white-space: normal; }
.sort {
  font: inherit; color: inherit; background: none; border: 0; padding: .25rem 0; cursor: pointer; text-align: left; min-height: 1.75rem;
}
.sort::after { content: "\\2195"; display: inline-block; width: 1em; margin-left: .25rem; text-align: center; opacity: .75; }
[aria-sort] .sort { color: var(--ink); }
[aria-sort=ascending] .sort::after { content: "\\2191"; opacity: 1; }
[aria-sort=descending] .sort::after { content: "\\2193"; opacity: 1; }
.sort:hover { text-decoration: underline; }

.tools { display: flex; flex-wrap: wrap; gap: .75rem 1.25rem; align-items: end; margin-bottom: .75rem; }
.tools fieldset { border: 0; min-width: 0; }
.tools legend, .tools .label { font-size: .8125rem; color: var(--soft); padding: 0; display: block; margin-bottom: .25rem; }
.chips { display: flex; flex-wrap: wrap; gap: .375rem; }
.chips label {
  display: inline-flex; gap: .375rem; align-items: center; border: 1px solid var(--strong); border-radius: 6px;
  padding: 0 .625rem; min-height: 2.25rem; font-size: .875rem; cursor: pointer; background: var(--card);
}
.chips input { margin: 0; width: 1rem; height: 1rem; accent-color: var(--link); }
.tools input[type=search], .tools select, .tools button {
  font: inherit; font-size: .875rem; color: var(--ink); background: var(--card); border: 1px solid var(--strong);
  border-radius: 6px; padding: 0 .625rem; height: 2.25rem; max-width: 100%;
}
.tools .search { flex: 1 1 14rem; }
.tools .search input { width: 100%; }
.tools button { cursor: pointer; }
.shown { margin-bottom: .5rem; font-size: .875rem; color: var(--soft); min-height: 1.5rem; }

details > summary { cursor: pointer; font-size: .875rem; color: var(--link); width: fit-content; padding: .125rem 0; }
.more { padding: .5rem 0 .75rem; }
.more dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .625rem 1.5rem; margin-bottom: 1rem; }
.more dd { font-size: .875rem; line-height: 1.4; }
.more > b { display: block; margin: .75rem 0 .25rem; font-size: .8125rem; }
.log { width: 100%; border-collapse: collapse; font-size: .8125rem; line-height: 1.4; background: var(--wash); border-radius: 6px; }
.log th, .log td { text-align: left; vertical-align: baseline; padding: .375rem .75rem; }
.log th { color: var(--soft); font-weight: 600; white-space: nowrap; }
.log td { border-top: 1px solid var(--line); }
.log td + td + td { white-space: nowrap; }
.log td + td + td + td { white-space: normal; overflow-wrap: normal; }
.log td:nth-child(4) { overflow-wrap: anywhere; }
.files li { padding: .25rem 0; font-size: .875rem; }
.files code { color: var(--soft); }

/* --- timeline and history --- */
.two { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: .75rem; align-items: start; }
.two .card { margin: 0; height: 100%; }
.two h3 { margin-bottom: .5rem; }
.two * + h3 { margin-top: 1.5rem; }
.two * + h4 { margin: 1.25rem 0 .25rem; }
.lanes { display: grid; grid-template-columns: max-content 1fr; gap: .5rem 1rem; align-items: center; margin-bottom: 1.25rem; }
.lanes span { font-size: .8125rem; color: var(--soft); }
.lanes svg { width: 100%; height: .875rem; border-radius: 3px; }
.axis { display: flex; justify-content: space-between; gap: 1rem; font-size: .75rem; color: var(--soft); grid-column: 2; }
.events li { display: grid; grid-template-columns: 10rem 1.25rem minmax(0, 1fr); gap: 0 .75rem; padding-bottom: .875rem; position: relative; }
.events li:last-child { padding-bottom: 0; }
.events li::before {
  content: ""; grid-column: 2; grid-row: 1; width: .75rem; height: .75rem; margin: .375rem auto 0; border-radius: 50%;
  border: 3px solid var(--link); background: var(--card); z-index: 1;
}
.events li:not(:last-child)::after {
  content: ""; position: absolute; left: 11.3125rem; top: .75rem; bottom: -.5rem; border-left: 2px solid var(--line);
}
.events .at { grid-column: 1; grid-row: 1; color: var(--soft); font-size: .875rem; line-height: 1.5rem; }
.events .what { grid-column: 3; grid-row: 1; }
.chart { display: flex; gap: .5rem; align-items: end; margin: 1rem 0 .75rem; }
.chart li { flex: 1 1 0; max-width: 4.5rem; min-width: 0; text-align: center; font-size: .75rem; line-height: 1.3; }
.chart b { font-size: .9375rem; display: block; }
.chart svg { width: 100%; margin: .25rem 0; }
.chart time { white-space: normal; color: var(--soft); }
.chart .now time { color: var(--ink); font-weight: 600; }
.keys { display: flex; flex-wrap: wrap; gap: .25rem 1rem; font-size: .8125rem; margin-bottom: .75rem; }
.keys li { display: inline-flex; gap: .375rem; align-items: center; }
.keys svg { border-radius: 2px; }
.figures { width: 100%; border-collapse: collapse; font-size: .875rem; margin-top: .5rem; }
.figures th, .figures td { text-align: right; padding: .375rem .25rem; border-top: 1px solid var(--line); vertical-align: top; }
.figures th:first-child, .figures td:first-child { text-align: left; }
.figures thead th { border-top: 0; color: var(--soft); font-size: .8125rem; vertical-align: bottom; }
.figures td { font-variant-numeric: tabular-nums; }
.figures tbody th { font-weight: 400; overflow-wrap: break-word; }
.words th, .words td { overflow-wrap: anywhere; }
.aged li { display: grid; grid-template-columns: minmax(0, 1fr) 6rem 5.5rem; gap: 0 1rem; align-items: center; padding: .375rem 0; }
.aged li { border-top: 1px solid var(--line); font-size: .875rem; }
.aged li:first-child { border-top: 0; }
.aged svg { width: 100%; height: .625rem; border-radius: 2px; }
.aged > li > :last-child { text-align: right; }
.reading { display: grid; grid-template-columns: max-content 1fr; gap: .5rem 1.25rem; }
.reading + p { margin-top: 1rem; }
footer { border-top: 1px solid var(--line); padding: 1.25rem 0 2.5rem; color: var(--soft); font-size: .875rem; }

@media (max-width: 62rem) {
  .two { grid-template-columns: minmax(0, 1fr); }
}
@media screen and (max-width: 54rem) {
  .wide { padding: 0 1rem; }
  .hero { padding: 1.25rem 1rem; }
  .hero h1 svg { width: 2.25rem; height: 2.25rem; grid-row: auto; }
  .hero h1 .word { font-size: 1.625rem; }
  .hero h1 .rest { grid-column: 1 / -1; font-size: 1rem; margin-top: .5rem; }
  .tally { grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .75rem .5rem; }
  .tally li { gap: 0 .5rem; }
  .tally .key { width: .75rem; }
  .tally .o { font-size: .9375rem; }
  .pad, .case header, .reasons, .rows > * > tr { padding-left: 1rem; padding-right: 1rem; }
  .reasons > li { grid-template-columns: minmax(0, 1fr); }
  .rows > thead, .items > thead {
    position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); border: 0;
  }
  .rows > tbody > tr { display: block; }
  .many .rows > tbody > tr { contain-intrinsic-size: auto 11rem; }
  .rows > tbody > tr > td { display: block; margin-bottom: .125rem; }
  .rows > tbody > tr > td:empty { display: none; }
  .still > tbody > tr > td::before, .all > tbody > tr > td::before { color: var(--soft); font-size: .8125rem; }
  .all > tbody > tr > td:nth-child(-n+2) { display: inline-block; margin-right: 1rem; }
  .all > tbody > tr > td:nth-child(5)::before { content: "Open for: "; }
  .all > tbody > tr > td:nth-child(6)::before { content: "Scan finished: "; }
  .sortable.all > thead { position: static; width: auto; height: auto; margin: 0; overflow: visible; clip-path: none; }
  .sortable.all > thead > tr { display: flex; flex-wrap: wrap; gap: 0 1rem; }
  .sortable.all > thead > tr > th:last-child { display: none; }
  .items, .items > tbody, .items tr, .items td { display: block; min-width: 0; }
  .items tr { padding: .5rem 1rem; border-top: 1px solid var(--line); }
  .items tr:first-child { border-top: 0; }
  .items td, .items td:first-child { padding: .125rem 0; border: 0; overflow-wrap: anywhere; }
  .items td:empty { display: none; }
  .items td::before { content: attr(data-column) ": "; color: var(--soft); font-weight: 400; }
  .case .note { padding-left: 1rem; }
  .log thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  .log, .log tbody, .log tr { display: block; }
  .log tr { padding: .375rem .75rem; border-top: 1px solid var(--line); }
  .log tr:first-child { border-top: 0; }
  .log td { display: inline; padding: 0 .375rem 0 0; border: 0; }
  .log td + td + td { white-space: normal; }
  .reading { grid-template-columns: 1fr; gap: .125rem; }
  .reading dd { margin-bottom: .625rem; }
}
@media screen and (max-width: 40rem) {
  .chart li:nth-last-child(n+9) { display: none; }
  .lanes { grid-template-columns: minmax(0, 1fr); gap: .25rem; }
  .axis { grid-column: 1; }
  .events li { grid-template-columns: 1.25rem minmax(0, 1fr); }
  .events li::before { grid-column: 1; }
  .events li:not(:last-child)::after { left: .5625rem; }
  .events .at, .events .what { grid-column: 2; grid-row: auto; }
  .aged li { grid-template-columns: minmax(0, 1fr) max-content; }
  .aged svg { display: none; }
  .tools > *, .tools select { width: 100%; }
  .figures { font-size: .8125rem; }
  .figures thead th { font-size: .6875rem; }
  .figures th, .figures td { padding: .375rem .125rem; }
}
@media print {
  :root { color-scheme: light; --page: #fff; }
  @page { margin: 14mm 12mm; }
  html { font-size: 9.5pt; }
  .wide { max-width: none; padding: 0; }
  .mast nav, .skip, .tools, .shown, details > summary { display: none; }
  .card { border-radius: 0; }
  .hero { break-inside: avoid; margin-top: 1rem; padding: 1rem 1.25rem; }
  .hero, .case, .tag, .log, .rows > thead { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  section { margin: 1.5rem 0; }
  h2, h3, h4, .more > b, .case header { break-after: avoid; }
  .scroll { overflow: visible; }
  .items { font-size: .6875rem; table-layout: fixed; }
  .items th, .items td { min-width: 0; padding: .25rem; overflow-wrap: anywhere; }
  .items th:first-child, .items td:first-child { padding-left: .5rem; }
  .many .case, .many .rows > tbody > tr { content-visibility: visible; }
  .items tr, .reasons > li, .events li, .log tr, .rows > tbody > tr { break-inside: avoid; }
  .more dl { grid-template-columns: repeat(4, minmax(0, 1fr)); gap: .375rem 1rem; margin-bottom: .5rem; }
  .more dd, .more dt, .log, .files li { font-size: .75rem; }
  .log th, .log td { padding: .25rem .5rem; }
  /* Whoever prints evidence prints all of it, whatever was searched for on the screen. */
  .rows > tbody > tr[hidden] { display: grid !important; }
  .all { --columns: 7.75rem 4.5rem minmax(0, 3fr) minmax(0, 4fr) 5.5rem 5.5rem; }
  .all > thead { position: static; }
  .sort::after { content: none !important; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
  a { color: inherit; text-decoration: none; }
}
@media (forced-colors: active) {
  .f-remediated, .f-unremediated, .f-inconclusive, .f-pending, .f-soft { fill: CanvasText; }
  .mark { stroke: Canvas; }
  .f-mark, .ground { fill: Canvas; }
}
"""

SCRIPT = """
'use strict';
(function () {
  var opened = [];
  window.addEventListener('beforeprint', function () {
    opened = Array.prototype.slice.call(document.querySelectorAll('details:not([open])'));
    opened.forEach(function (details) { details.open = true; });
  });
  window.addEventListener('afterprint', function () {
    opened.forEach(function (details) { details.open = false; });
    opened = [];
  });

  var table = document.getElementById('all-targets');
  if (!table) { return; }
  var tools = document.getElementById('tools');
  var shown = document.getElementById('shown');
  var search = document.getElementById('search');
  var kind = document.getElementById('kind');
  var boxes = Array.prototype.slice.call(tools.querySelectorAll('input[type=checkbox]'));
  var body = table.tBodies[0];
  var rows = Array.prototype.slice.call(body.rows);
  var headers = Array.prototype.slice.call(table.tHead.rows[0].cells, 0, 6);
  var order = table.dataset.order.split(' ');
  var collator = new Intl.Collator('en', { numeric: true });
  var texts = new Map();
  var timer;

  // The words of the headings are in every row: only what is said about this target counts.
  function textOf(row) {
    if (!texts.has(row)) {
      texts.set(row, Array.prototype.map.call(row.querySelectorAll('td:not(.how), dd, .files li'), function (cell) {
        return cell.textContent;
      }).join(' ').replace(/\\s+/g, ' ').toLowerCase());
    }
    return texts.get(row);
  }

  function filter() {
    var words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
    var outcomes = boxes.filter(function (box) { return box.checked; }).map(function (box) { return box.value; });
    var count = 0;
    rows.forEach(function (row) {
      var fits = outcomes.indexOf(row.dataset.outcome) >= 0 && (!kind.value || kind.value === row.dataset.kind)
        && words.every(function (word) { return textOf(row).indexOf(word) >= 0; });
      count += fits;
      if (row.hidden === fits) { row.hidden = !fits; }
    });
    shown.textContent = count.toLocaleString('en') + ' of ' + rows.length.toLocaleString('en') + ' targets shown'
      + (count < rows.length ? '. A print shows all of them.' : '.');
  }

  function reset() {
    search.value = '';
    kind.value = '';
    boxes.forEach(function (box) { box.checked = true; });
    filter();
  }

  function valueOf(row, column) {
    var time;
    if (column === 0) { return order.indexOf(row.dataset.outcome); }
    if (column > 3) {
      time = row.cells[column].querySelector('time');
      return time ? time.dateTime : '';
    }
    return row.cells[column].textContent;
  }

  function sort(column) {
    var header = headers[column];
    // Whoever asks for how long wants the longest, which began the earliest.
    var since = column === 4;
    var other = header.getAttribute('aria-sort') === (since ? 'descending' : 'ascending');
    var sign = other ? -1 : 1;
    var keyed = rows.map(function (row) { return [valueOf(row, column), row]; });
    keyed.sort(function (a, b) {
      if (a[0] === b[0]) { return 0; }
      // Nothing to compare comes last both ways.
      if (a[0] === '' || b[0] === '') { return a[0] === '' ? 1 : -1; }
      return sign * (column === 0 || column > 3 ? (a[0] < b[0] ? -1 : 1) : collator.compare(a[0], b[0]));
    });
    var fragment = document.createDocumentFragment();
    rows = keyed.map(function (pair) { fragment.appendChild(pair[1]); return pair[1]; });
    body.appendChild(fragment);
    headers.forEach(function (each) { each.removeAttribute('aria-sort'); });
    header.setAttribute('aria-sort', other === since ? 'ascending' : 'descending');
  }

  // A link to a target must find it although it was filtered out.
  function reveal() {
    var row = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (row && row.parentNode === body) {
      if (row.hidden) { reset(); }
      row.querySelector('details').open = true;
      row.scrollIntoView();
    }
  }

  headers.forEach(function (header, column) {
    var button = document.createElement('button');
    button.type = 'button';
    button.className = 'sort';
    button.textContent = header.textContent;
    button.addEventListener('click', function () { sort(column); });
    header.textContent = '';
    header.appendChild(button);
  });
  table.classList.add('sortable');
  search.addEventListener('input', function () { clearTimeout(timer); timer = setTimeout(filter, 120); });
  kind.addEventListener('change', filter);
  boxes.forEach(function (box) { box.addEventListener('change', filter); });
  document.getElementById('reset').addEventListener('click', reset);
  window.addEventListener('hashchange', reveal);
  tools.hidden = false;
  filter();
  reveal();
}());
"""

# What is painted where a server's policy forbids the style, as Jenkins does: the same as the light colours above.
PAINT = {
    REMEDIATED: "#0f7355",
    UNREMEDIATED: "#b5242b",
    INCONCLUSIVE: "#8a5800",
    PENDING: "#3d5caa",
    "soft": "#77818f",
    "ground": "#d8dde4",
    "mark": "#ffffff",
}

# What each outcome means, for who reads the page.
READING = {
    REMEDIATED: "After a scan, the system itself says that it is done.",
    UNREMEDIATED: "After a scan, the system itself says that it is still there.",
    PENDING: "Something has not finished yet. A later run picks it up.",
    INCONCLUSIVE: "No system gave an answer that is known. An error is never taken for an answer.",
}

# What the template needs to know of the outcomes.
LOOKS = dict(paint=PAINT, reading=READING, needs_action=NEEDS_ACTION, urgency=URGENCY)

TEMPLATE = """
{% macro icon(outcome, size=16) %}
<svg width="{{ size }}" height="{{ size }}" aria-hidden="true"><use href="#i-{{ outcome }}"/></svg>
{% endmacro %}
{% macro outcome(name) %}<span class="o {{ name }}">{{ icon(name) }}{{ name | capitalize }}</span>{% endmacro %}
{% macro when(moment) %}
{% if moment.iso %}<time datetime="{{ moment.iso }}">{{ moment.text }}</time>{% else %}{{ moment.text }}{% endif %}
{% endmacro %}
{% macro key(outcome) %}
<svg width="14" height="14" aria-hidden="true"><rect width="14" height="14" fill="url(#f-{{ outcome }})"/></svg>
{% endmacro %}
{% macro file(item) %}{% if item.href %}<a href="{{ item.href }}">{{ item.path }}</a>{% else %}{{ item.path }}{% endif %}{% endmacro %}
{% macro since(target) %}
{% if target.open_for %}
{% if target.days == 0 %}
<time datetime="{{ target.open_since.iso }}">{{ target.open_for }}</time>
{% else %}
{% if not target.seen_open %}not verified for {% endif %}{{ target.open_for }}
{% endif %}
{% if target.open_since.iso and target.days != 0 %}
<br><span class="soft small">since <time datetime="{{ target.open_since.iso }}">{{ target.open_since.date }}</time></span>
{% endif %}
{% endif %}
{% endmacro %}
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{{ verdict.word }}: verification of remediation{% if run %}, {{ run }}{% endif %}</title>
<link rel="icon" href="data:,">
<style>{{ style }}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the verdict</a>
<svg width="0" height="0" aria-hidden="true">
<defs>
<symbol id="i-remediated" color="{{ paint.remediated }}" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7.5" fill="currentColor"/>
<path d="M4.5 8.3l2.4 2.4 4.7-5" fill="none" class="mark" stroke="{{ paint.mark }}" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round"/></symbol>
<symbol id="i-unremediated" color="{{ paint.unremediated }}" viewBox="0 0 16 16"><path d="M5 .5h6L15.5 5v6L11 15.5H5L.5 11V5z" fill="currentColor"/>
<path d="M8 4v4.6" fill="none" class="mark" stroke="{{ paint.mark }}" stroke-width="2" stroke-linecap="round"/>
<circle cx="8" cy="11.6" r="1.2" class="f-mark" fill="{{ paint.mark }}"/></symbol>
<symbol id="i-inconclusive" color="{{ paint.inconclusive }}" viewBox="0 0 16 16"><path d="M8 .2L15.8 8 8 15.8.2 8z" fill="currentColor"/>
<path d="M6.2 6.5a1.8 1.8 0 1 1 2.6 1.7c-.5.3-.8.6-.8 1.2" fill="none" class="mark" stroke="{{ paint.mark }}" stroke-width="1.5" stroke-linecap="round"/>
<circle cx="8" cy="11.6" r=".95" class="f-mark" fill="{{ paint.mark }}"/></symbol>
<symbol id="i-pending" color="{{ paint.pending }}" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" stroke-width="1.8"/>
<path d="M8 4.3V8l2.5 1.7" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"/></symbol>
<pattern id="f-remediated" width="8" height="8" patternUnits="userSpaceOnUse">
<rect width="8" height="8" class="f-remediated" fill="{{ paint.remediated }}"/></pattern>
<pattern id="f-unremediated" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect width="7" height="7" class="f-unremediated" fill="{{ paint.unremediated }}"/>
<path d="M0 0v7" class="mark" stroke="{{ paint.mark }}" stroke-width="2.4"/></pattern>
<pattern id="f-inconclusive" width="7" height="7" patternUnits="userSpaceOnUse">
<rect width="7" height="7" class="f-inconclusive" fill="{{ paint.inconclusive }}"/>
<circle cx="3.5" cy="3.5" r="1.3" class="f-mark" fill="{{ paint.mark }}"/></pattern>
<pattern id="f-pending" width="7" height="7" patternUnits="userSpaceOnUse">
<rect width="7" height="7" class="f-pending" fill="{{ paint.pending }}"/>
<path d="M0 3.5h7" class="mark" stroke="{{ paint.mark }}" stroke-width="1.6"/></pattern>
</defs>
</svg>
<header class="mast">
<div class="wide">
<p>Verification of remediation</p>
<nav aria-label="On this page">
<ul>
<li><a href="#action">Needs action</a></li>
{% if targets %}<li><a href="#targets">All targets</a></li>{% endif %}
<li><a href="#timeline">Timeline</a></li>
<li><a href="#history">History</a></li>
{% if words %}<li><a href="#words">Words</a></li>{% endif %}
<li><a href="#record">The record</a></li>
</ul>
</nav>
</div>
</header>
<main id="main" tabindex="-1" class="wide{% if targets | length > 200 %} many{% endif %}">
<div class="card hero {{ verdict.tone }}">
<h1>{{ icon(verdict.tone, 52) }}<span class="word">{{ verdict.word }}</span> <span class="rest">{{ verdict.rest }}</span></h1>
{% if bar %}
<div class="bar">
<svg width="600" height="28" role="img" aria-label="{{ bar_text }}">
{% for part in bar %}
<rect x="{{ part.x }}%" width="{{ part.width }}%" height="100%" fill="url(#f-{{ part.outcome }})"/>
{% endfor %}
</svg>
</div>
{% endif %}
<ul class="tally" aria-label="Targets by outcome">
{% for item in tally %}
<li><svg class="key" width="24" height="40" aria-hidden="true"><rect width="24" height="40" fill="url(#f-{{ item.outcome }})"/></svg>
<b>{{ item.count_text }}{% if item.share %} <small>{{ item.share }}</small>{% endif %}</b>
<span class="o {{ item.outcome }}">{{ icon(item.outcome) }}{{ item.outcome | capitalize }}</span></li>
{% endfor %}
</ul>
</div>
<div class="card pad">
<dl class="facts">
{% for fact in facts %}
<div><dt>{{ fact.name }}</dt>{% for value in fact.lines %}<dd>{{ value }}</dd>{% endfor %}</div>
{% endfor %}
</dl>
</div>

<section id="action" aria-labelledby="action-title">
<h2 id="action-title">Needs action</h2>
{% if not action.any %}
<p>{{ action.lead }}</p>
<div class="card pad none">{{ icon("remediated" if targets else "pending", 24) }}<p>{{ action.none }}</p></div>
{% else %}
<p>{{ action.lead }}</p>
{% if action.problems %}
<h3 class="inconclusive">{{ icon("inconclusive") }}Look-ups with a problem</h3>
<ul class="card reasons inconclusive">
{% for asked, problem in action.problems %}<li><p><bdi>{{ asked }}</bdi></p><p class="why"><bdi>{{ problem }}</bdi></p></li>{% endfor %}
</ul>
{% endif %}
{% for kind in action.kinds %}
<h3 class="unremediated">{{ icon("unremediated") }}{{ kind.title }}</h3>
{% for case in kind.cases %}
<article class="card case unremediated">
<header>
<h4><a href="#{{ case.anchor }}"><bdi>{{ case.title }}</bdi></a></h4>
<p class="aside soft small">{% if case.open_for %}{{ case.open_words }}{% endif %}</p>
{% if case.several %}
<ul class="heard" aria-label="Witnesses">
{% for heard in case.several %}<li>{{ outcome(heard.outcome) }} <b>says the {{ heard.name }}</b><br><bdi>{{ heard.reason }}</bdi></li>{% endfor %}
</ul>
{% else %}
<p class="why"><bdi>{{ case.reason }}</bdi></p>
{% endif %}
{% if case.accepted %}<p class="why"><b><bdi>{{ case.accepted }}</bdi></b></p>{% endif %}
</header>
{% for table in case.tables %}
{% if table.rows %}
<div class="scroll" tabindex="0" role="region" aria-label="Open items of {{ case.title }}{% if table.name %}: the {{ table.name }}{% endif %}">
<table class="items" role="table">
{% if case.several %}<caption>Seen by the {{ table.name }}</caption>{% endif %}
<thead role="rowgroup"><tr role="row">
{% for column in table.columns %}<th role="columnheader" scope="col"><bdi>{{ column }}</bdi></th>{% endfor %}
</tr></thead>
<tbody role="rowgroup">
{% for row in table.rows %}
<tr role="row">
{% for column, cell in row %}<td role="cell" data-column="{{ column }}">{% if cell %}<bdi>{{ cell }}</bdi>{% endif %}</td>{% endfor %}
</tr>
{% endfor %}
</tbody>
</table>
</div>
{% endif %}
{% if table.note %}
<p class="note">{{ table.note }}{% for item in case.files %} {{ file(item) }}{% endfor %}</p>
{% endif %}
{% endfor %}
</article>
{% endfor %}
{% if kind.rows %}
<div class="card">
<table class="rows still {{ kind.class_name }}" role="table" aria-label="{{ kind.title }}">
<thead role="rowgroup"><tr role="row">
{% if kind.severity %}<th role="columnheader" scope="col">Severity</th>{% endif %}
<th role="columnheader" scope="col">{{ kind.noun }}</th>
{% for name in kind.columns %}<th role="columnheader" scope="col">{{ name }}</th>{% endfor %}
<th role="columnheader" scope="col">Open for</th>
</tr></thead>
<tbody role="rowgroup">
{% for target in kind.rows %}
<tr role="row">
{% if kind.severity %}
<td role="cell">{% if target.severity %}<span class="tag {{ target.severity_class }}">{{ target.severity }}</span>{% endif %}</td>
{% endif %}
<td role="cell"><a class="name" href="#{{ target.anchor }}"><bdi>{{ target.title }}</bdi></a>
{% if target.known_as %}<span class="id">{{ target.known_as }}</span>{% endif %}
{% if target.accepted %}<span class="id"><bdi>{{ target.accepted }}</bdi></span>{% endif %}</td>
{% for cell in target.cells %}
<td role="cell">{% for line in cell %}{% if not loop.first %}<br>{% endif %}<bdi>{{ line }}</bdi>{% endfor %}</td>
{% endfor %}
<td role="cell">{{ since(target) }}</td>
</tr>
{% endfor %}
</tbody>
</table>
</div>
{% endif %}
{% endfor %}
{% for part in action.groups %}
<h3 class="{{ part.outcome }}">{{ icon(part.outcome) }}{{ part.title }}</h3>
<ul class="card reasons {{ part.outcome }}">
{% for group in part.groups %}
<li>
<div><p class="why"><bdi>{{ group.reason }}</bdi></p>{% if group.count_text %}<p class="soft small">{{ group.count_text }}</p>{% endif %}</div>
<ul class="named">
{% for target in group.targets %}
<li><a href="#{{ target.anchor }}"><bdi>{{ target.title }}</bdi></a>
{% if target.open_for %}<span class="soft small">{{ target.open_for }}</span>{% endif %}</li>
{% endfor %}
{% if group.left_out %}<li class="soft small">{{ group.left_out }} more with this reason are among <a href="#targets">all targets</a>.</li>{% endif %}
</ul>
</li>
{% endfor %}
</ul>
{% endfor %}
{% endif %}
{% if acceptances %}
<h3 class="pending">{{ icon("pending") }}Accepted risks</h3>
<ul class="card reasons pending">
{% for record in acceptances %}
<li><p><bdi>{{ record.kind }} {{ record.id }}</bdi><br><b>{{ record.state | replace("_", " ") }}</b></p><p><bdi>{{ record.detail }}</bdi></p></li>
{% endfor %}
{% if more_acceptances != "0" %}<li>{{ more_acceptances }} more are in verification.json.</li>{% endif %}
</ul>
{% endif %}
</section>

{% if targets %}
<section id="targets" aria-labelledby="targets-title">
<h2 id="targets-title">All targets</h2>
<p>What needs action comes first. Every target shows how its outcome was found.</p>
<div id="tools" class="tools" role="search" aria-label="Targets" hidden>
<fieldset><legend>Outcome</legend><div class="chips">
{% for item in tally %}
<label><input type="checkbox" value="{{ item.outcome }}" checked autocomplete="off">{{ outcome(item.outcome) }}
<span class="soft number">{{ item.count_text }}</span></label>
{% endfor %}
</div></fieldset>
<div><label class="label" for="kind">Kind</label>
<select id="kind" autocomplete="off"><option value="">All kinds</option>
{% for kind in kinds %}<option value="{{ kind.name }}">{{ kind.title }}</option>{% endfor %}
</select></div>
<div class="search"><label class="label" for="search">Words, ids, addresses, checksums</label>
<input type="search" id="search" autocomplete="off" spellcheck="false"></div>
<button type="button" id="reset">Show all</button>
</div>
<p id="shown" class="shown" role="status">{{ total_text }} targets.</p>
<div class="card">
<table id="all-targets" data-order="{{ urgency | join(' ') }}" class="rows all" role="table" aria-labelledby="targets-title">
<thead role="rowgroup"><tr role="row">
<th role="columnheader" scope="col" aria-sort="ascending">Outcome</th>
{% for name in ("Kind", "Target", "Why", "Open for", "Scan finished") %}<th role="columnheader" scope="col">{{ name }}</th>{% endfor %}
<th role="columnheader" scope="col" class="unseen">How this was found</th>
</tr></thead>
<tbody role="rowgroup">
{% for target in targets %}
<tr role="row" id="{{ target.anchor }}" data-outcome="{{ target.outcome }}" data-kind="{{ target.kind }}">
<td role="cell">{{ outcome(target.outcome) }}</td>
<td role="cell">{% if target.kind_known %}{{ target.kind_title }}{% else %}<bdi>{{ target.kind_title }}</bdi>{% endif %}</td>
<td role="cell"><bdi class="name">{{ target.title }}</bdi>{% if target.id %}<bdi class="id">{{ target.id }}</bdi>{% endif %}</td>
<td role="cell" class="why"><bdi>{{ target.reason }}</bdi>{% if target.accepted %}<br><b><bdi>{{ target.accepted }}</bdi></b>{% endif %}</td>
<td role="cell">{{ since(target) }}</td>
<td role="cell">{% if target.finished %}{{ when(target.finished) }}{% endif %}</td>
<td role="cell" class="how">
<details><summary>How this was found<span class="unseen">: {{ target.title }}</span></summary>
<div class="more">
{% if target.facts %}
<dl>
{% for name, value in target.facts %}<div><dt>{{ name }}<dd>{{ value }}</div>{% endfor %}
</dl>
{% endif %}
{% if target.requests %}
<b>Requests</b>
<table class="log">
<thead><tr><th>Method<th>Path<th>Status<th>Reference<th>Server time</thead>
<tbody>
{% for request in target.requests %}
<tr><td>{{ request.method }}<td>{{ request.path }}<td>{{ request.status }}<td>{{ request.reference }}<td>{{ request.time }}
{% endfor %}
</table>
{% else %}
<p class="soft small">No request belongs to this target alone.</p>
{% endif %}
{% if target.files %}
<b>Files</b>
<ul class="files">
{% for item in target.files %}<li>{{ file(item) }}{% if item.sha256 %}<br><code>SHA-256 {{ item.sha256 }}</code>{% endif %}</li>{% endfor %}
</ul>
{% endif %}
</div>
</details>
</td>
</tr>
{% endfor %}
</tbody>
</table>
</div>
</section>
{% endif %}

<section id="timeline" aria-labelledby="timeline-title">
<h2 id="timeline-title">Timeline of the run</h2>
<p>All times are UTC. Those of scans and reports are by the clock of the system that was asked, all others by that of the machine that asked.</p>
<div class="card pad">
{% if lanes %}
<div class="lanes" aria-hidden="true">
{% for lane in lanes %}
<span>{{ lane.name }}</span>
<svg width="600" height="14"><rect width="100%" height="100%" class="ground" fill="{{ paint.ground }}"/>
<rect x="{{ lane.x }}%" width="{{ lane.width }}%" height="100%" class="{{ lane.fill }}" fill="{{ paint[lane.fill[2:]] }}"/></svg>
{% endfor %}
<div class="axis"><span>{{ axis.0 }}</span><span>{{ axis.1 }}</span></div>
</div>
{% endif %}
<ol class="events">
{% for event in events %}
<li><span class="at number">{{ when(event.time) }}</span> <span class="what"><b>{{ event.title }}</b>
{% if event.detail %}<span class="soft small">{{ event.detail }}</span>{% endif %}</span></li>
{% endfor %}
</ol>
</div>
</section>

<section id="history" aria-labelledby="history-title">
<h2 id="history-title">From run to run</h2>
<p>{{ history.lead }}</p>
<div class="two">
<div class="card pad">
{% if history.columns %}
{% if history["items"] %}
<h3>Open items in each run</h3>
<p class="soft">Items of the targets that are still open, such as the rows of a campaign's report, and targets that have no items, such as exposures.</p>
<ol class="chart" aria-label="Open items in each run">
{% for column in history["items"] %}
<li class="{% if loop.last %}now{% endif %}{% if not column.height %} gap{% endif %}">
{% if column.height %}
<b>{{ column.open }}<span class="unseen"> open items</span></b>
<svg width="40" height="{{ column.height }}" aria-hidden="true"><rect width="100%" height="100%" class="f-unremediated" fill="{{ paint.unremediated }}"/></svg>
{% else %}
<b class="soft">not known</b>
{% endif %}
{% if column.time.iso %}<time datetime="{{ column.time.iso }}">{{ column.time.date }}</time>{% else %}{{ column.time.text }}{% endif %}</li>
{% endfor %}
</ol>
{% endif %}
<h3>Open targets in each run</h3>
<ol class="chart" aria-label="Open targets in each run">
{% for column in history.columns %}
<li{% if loop.last %} class="now"{% endif %}><b>{{ column.open }}<span class="unseen"> open: {{ column.text }}</span></b>
<svg width="40" height="{{ column.height }}" aria-hidden="true">
{% for part in column.parts %}
<rect y="{{ part.y }}%" width="100%" height="{{ part.height }}%" fill="url(#f-{{ part.outcome }})"/>
{% endfor %}
</svg>
{% if column.time.iso %}<time datetime="{{ column.time.iso }}">{{ column.time.date }}</time>{% else %}{{ column.time.text }}{% endif %}</li>
{% endfor %}
</ol>
<ul class="keys">
{% for name in needs_action %}<li>{{ key(name) }}{{ name | capitalize }}</li>{% endfor %}
</ul>
{% if history.rows | length > 12 %}<details><summary>The numbers of every run</summary>{% endif %}
<table class="figures">
<thead><tr><th scope="col">Run</th><th scope="col">Open items</th><th scope="col">Unre&shy;mediated</th><th scope="col">Incon&shy;clusive</th>
<th scope="col">Pend&shy;ing</th><th scope="col">Reme&shy;diated</th><th scope="col">Total</th></tr></thead>
<tbody>
{% for row in history.rows %}
<tr><th scope="row">{{ row.run[:8] }}<wbr>{{ row.run[8:] }}<br><span class="soft">{{ row.verdict }}</span></th>
{% for number in row.numbers %}<td>{{ number }}</td>{% endfor %}</tr>
{% endfor %}
</tbody>
</table>
{% if history.rows | length > 12 %}</details>{% endif %}
{% else %}
<p class="soft">No run is known.</p>
{% endif %}
</div>
<div class="card pad">
<h3>For how long</h3>
{% if history.ages %}
<table class="figures">
<thead><tr><th scope="col">Open for</th><th scope="col">Targets</th></tr></thead>
<tbody>{% for name, count in history.ages %}<tr><th scope="row">{{ name }}</th><td>{{ count }}</td></tr>{% endfor %}</tbody>
</table>
{% if history.oldest %}
<h4 class="soft">{{ history.oldest_title }}</h4>
<ol class="aged">
{% for target in history.oldest %}
<li><a href="#{{ target.anchor }}"><bdi>{{ target.title }}</bdi></a>
<svg width="96" height="10" aria-hidden="true"><rect width="100%" height="100%" class="ground" fill="{{ paint.ground }}"/>
<rect width="{{ target.share }}%" height="100%" class="f-{{ target.outcome }}" fill="{{ paint[target.outcome] }}"/></svg>
<span class="number">{{ target.open_for }}</span></li>
{% endfor %}
</ol>
{% endif %}
{% else %}
<p class="soft">No target is known to be open.</p>
{% endif %}
{% if history.unseen %}<p class="soft">{{ history.unseen }}.</p>{% endif %}
</div>
</div>
</section>

{% if words %}
<section id="words" aria-labelledby="words-title">
<h2 id="words-title">Words that counted</h2>
<p>What the reports say about the state of an item, and what it was taken to mean. A word that the user configured is the user's statement.</p>
{% for group in words %}
<div class="card pad">
<h3><a href="#{{ group.anchor }}"><bdi>{{ group.title }}</bdi></a></h3>
<table class="figures words">
<thead><tr><th scope="col">Word</th><th scope="col">Items</th><th scope="col">Taken for</th><th scope="col">Known from</th></tr></thead>
<tbody>
{% for entry in group.words %}
<tr><th scope="row">{% if entry.word %}<bdi>{{ entry.word }}</bdi>{% else %}<span class="soft">nothing</span>{% endif %}
{% if entry.column %} <span class="soft">in the column <bdi>{{ entry.column }}</bdi></span>{% endif %}</th>
<td>{{ entry.count }}</td><td>{{ entry.meaning }}</td>
<td>{% if entry.configured %}<b>configured by the user</b>{% elif entry.meaning == "unknown" %}nowhere{% else %}built in{% endif %}</td></tr>
{% endfor %}
</tbody>
</table>
{% if group.left_out != "0" %}<p class="soft small">{{ group.left_out }} more words are in verification.json.</p>{% endif %}
</div>
{% endfor %}
{% if more_words %}<p class="soft">The words of {{ more_words }} more are shown where <a href="#targets">all targets</a> say how they were found.</p>{% endif %}
</section>
{% endif %}

<section id="record" aria-labelledby="record-title">
<h2 id="record-title">The record</h2>
<p>This page is made from the same record as the files beside it, and holds nothing that they do not hold.</p>
<div class="two">
<div class="card pad">
<h3>Files</h3>
{% if files %}
<ul class="files">
{% for item in files %}<li>{{ file(item) }}{% if item.says %} <span class="soft">{{ item.says }}</span>{% endif %}</li>{% endfor %}
</ul>
{% if more_files %}<details><summary>{{ more_files | length }} more files</summary>
<ul class="files">{% for item in more_files %}<li>{{ file(item) }}</li>{% endfor %}</ul></details>{% endif %}
{% else %}
<p class="soft">No file was named.</p>
{% endif %}
{% if sums %}
<h4>To check that nothing was changed, in this folder:</h4>
<p><code>sha256sum --check SHA256SUMS</code></p>
{% endif %}
{% if followed %}
<h4>Computed again from the answers</h4>
<p>{% if all_followed %}{{ followed }}{% else %}<b>{{ followed }} The others do not: see the check of the evidence.</b>{% endif %}</p>
{% endif %}
{% if previous %}
<h4>The run before this one</h4>
<p class="small">{{ previous.run }}{% if previous.sha256 %}, whose SHA256SUMS had the SHA-256<br><code>{{ previous.sha256 }}</code>{% endif %}</p>
{% endif %}
</div>
<div class="card pad">
<h3>What the outcomes mean</h3>
<dl class="reading">
{% for name, meaning in reading.items() %}
<dt>{{ outcome(name) }}</dt>
<dd>{{ meaning }}</dd>
{% endfor %}
</dl>
{% if controls %}
<h3>Controls that this supports</h3>
<ul class="files">
{% for control in controls %}<li><b>{{ control.name }}</b>{% if control.title %} <span class="soft">{{ control.title }}</span>{% endif %}</li>{% endfor %}
</ul>
<p class="soft small">NIST SP 800-53, revision 5</p>
{% endif %}
</div>
</div>
</section>
</main>
<footer>
<div class="wide"><p>{{ made_by }}</p></div>
</footer>
<script>{{ script }}</script>
</body>
</html>
"""
