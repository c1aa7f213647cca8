# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words for outcomes and verdicts are said once, and who may say `remediated` is written here."""

from __future__ import annotations

import ast

import pytest
from imports import source_files

from ansible_collections.secops.remediation.plugins.module_utils._evidence import page_template
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import OUTCOMES, REMEDIATED, VERDICTS

VOCABULARY = "_verdict/outcomes"
NAME = "REMEDIATED"

# Where the name is said of something, by file and place, and as what. A place is a function, or a name of the file.
SAYS = {
    # What a witness says: it counts only if compose hears it.
    "_sailpoint/access_proof": {"Tally._answer": "the word of the access"},
    # What a file says: it counts only if judge_file, and then prove, let it through.
    "_sailpoint/report_file": {"judge": "the word of a report's file"},
    # What is proved of a target.
    "_sailpoint/target": {"compose": "the one place for campaigns"},
    "_xpanse/target": {
        "ANSWERS": "what Xpanse's own words mean; prove, the one place for exposures, lets it through",
        "REASONS": "the sentence for it",
    },
    # What the forms show, never of a target by themselves.
    "_evidence/form_junit": {"TAGS": "how JUnit has it"},
    "_evidence/form_markdown": {"COUNTS": "the heading of a column"},
    "_evidence/form_page": {"PICTURED": "the order of a picture", "TONES": "the colour of a verdict"},
    "filter/tickets": {"STATES": "which tickets are closed"},
    "_evidence/page_template": {"PAINT": "its colour", "READING": "what it means, in a sentence"},
}
# Who only compares something with it, counts it, or looks it up.
READS = {
    "_evidence/check": "whether two runs may date a target differently",
    "_evidence/form_attestation": "which tests have passed",
    "_evidence/form_csv": "which targets have open items",
    "_evidence/form_oscal": "whether a control's objective is met",
    "_evidence/form_page": "what is pictured",
    "_evidence/record": "what is said of a kind that nobody knows counts for nothing",
    "_evidence/replay": "a verdict without all outcomes is none",
    "_sailpoint/next_proof": "takes the word of a report back",
    "_sailpoint/report_proof": "a report that is not whole is no word",
    "_sailpoint/target": "hears the witnesses",
    "_verdict/owners": "what is remediated needs no acceptance",
    "_verdict/verification": "the verdict, the dates, the counts",
    "_xpanse/target": "what was not read again is none",
    "filter/verify": "which targets are printed",
    "filter/xpanse": "which alerts may be resolved",
    "filter/tickets": "which tickets may be closed",
}
# Texts that are one of the words and mean something else.
OTHER_WORDS = {
    "_sailpoint/report_words": "what tenants write in their reports",
    "_sailpoint/access_why": "a word in a result of SailPoint's",
}


def is_read(node, parents):
    """Whether a word is only compared, counted, or looked up here."""
    while True:
        parent = parents[node]
        if isinstance(parent, ast.Compare):
            return True
        if isinstance(parent, ast.Subscript):
            return parent.slice is node
        if isinstance(parent, ast.Call):
            return isinstance(parent.func, ast.Attribute) and parent.func.attr == "count" and node in parent.args
        if not isinstance(parent, (ast.Tuple, ast.Set)):
            return False
        node = parent


def place_of(node, parents):
    """The function, or the name of the file that is assigned, in which a node is."""
    names = []
    while node in parents:
        node = parents[node]
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.append(node.name)
        elif isinstance(node, ast.Assign) and isinstance(parents[node], ast.Module):
            names.append(ast.unparse(node.targets[0]))
    return ".".join(reversed(names))


def uses_of(tree, name=NAME):
    """(the places that say a name of the vocabulary of something, the places that only read it)."""
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    said, read = set(), set()
    for node in ast.walk(tree):
        if (isinstance(node, ast.Name) and node.id == name) or (isinstance(node, ast.Attribute) and node.attr == name):
            (read if is_read(node, parents) else said).add(place_of(node, parents))
    return said, read


def outcomes_set(tree):
    """The places that give a target an outcome which is not by its name one that says that there is no answer."""
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    found = set()
    for node in ast.walk(tree):
        values = []
        if isinstance(node, ast.Call):
            values = [keyword.value for keyword in node.keywords if keyword.arg == "outcome" and ast.unparse(node.func) != "dict"]
            if ast.unparse(node.func) == "make_target":
                values += node.args[3:4]
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                parts = target.elts if isinstance(target, ast.Tuple) else [target]
                values += [node.value for part in parts if isinstance(part, ast.Subscript) and "'outcome'" in ast.unparse(part)]
        if any(not isinstance(value, ast.Name) or value.id not in ("PENDING", "INCONCLUSIVE") for value in values):
            found.add(place_of(node, parents))
    return found


def renamed(tree):
    """Under which other names a file imports words of the vocabulary."""
    return [
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.endswith("._verdict.outcomes")
        for alias in node.names
        if alias.asname
    ]


def literals(tree):
    """The words of the vocabulary that a file has as texts of its own."""
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in (*OUTCOMES, *VERDICTS)
    }


def trees():
    """The syntax tree of every file but the vocabulary itself."""
    return {file: ast.parse(path.read_text(encoding="utf-8")) for file, path in source_files().items() if file != VOCABULARY}


class TestRemediated:
    def test_nobody_says_it_who_may_not(self):
        said = {file: uses_of(tree)[0] for file, tree in trees().items()}
        assert {file: places for file, places in said.items() if places} == {file: set(places) for file, places in SAYS.items()}

    def test_nobody_asks_for_it_without_a_reason(self):
        assert {file for file, tree in trees().items() if uses_of(tree)[1]} == set(READS)

    def test_nobody_has_it_under_another_name(self):
        assert {file: names for file, names in ((file, renamed(tree)) for file, tree in trees().items()) if names} == {}

    def test_of_each_system_one_place_says_it_of_a_target(self):
        """That is its file `target`; whoever else of the system says it is a witness, or a file."""
        says = {file: places for file, places in SAYS.items() if file.startswith(("_sailpoint/", "_xpanse/"))}
        assert sorted(file for file in says if file.endswith("/target")) == ["_sailpoint/target", "_xpanse/target"]
        rest = {place: why for file, places in says.items() if not file.endswith("/target") for place, why in places.items()}
        assert all(why.startswith("the word of ") for why in rest.values())

    def test_one_place_of_each_system_gives_a_target_an_answer(self):
        makers = {file: tree for file, tree in trees().items() if "make_target" in ast.unparse(tree) or file == "_judge"}
        del makers["_verdict/target"]
        assert set(makers) >= {"_sailpoint/target", "_xpanse/target", "_judge"}
        assert {(file, place) for file, tree in makers.items() for place in outcomes_set(tree)} == {
            # What compose says.
            ("_sailpoint/target", "campaign_target"),
            # What prove says, and Proof by itself has no answer.
            ("_xpanse/target", "exposure_target"),
        }


class TestLiterals:
    def test_nobody_spells_the_words_again(self):
        assert {file for file, tree in trees().items() if literals(tree)} == set(OTHER_WORDS)


class TestLooks:
    """The style, the script, and the symbols of the page name the outcomes, as CSS and SVG have to."""

    @pytest.mark.parametrize("outcome", OUTCOMES)
    def test_each_outcome_has_them(self, outcome):
        for text in ("--%s:" % outcome, "--%s-wash:" % outcome, ".%s {" % outcome, ".f-%s {" % outcome):
            assert text in page_template.STYLE
        for text in ('id="i-%s"' % outcome, 'id="f-%s"' % outcome):
            assert text in page_template.TEMPLATE
        assert outcome in page_template.PAINT and outcome in page_template.READING and outcome not in page_template.SCRIPT


class TestTheTests:
    """That each of these would tell."""

    @pytest.mark.parametrize(
        "text, said, read",
        [
            ("def f():\n return REMEDIATED, 'x'", {"f"}, set()),
            ("class A:\n def f(self):\n  self.outcome = REMEDIATED", {"A.f"}, set()),
            ("WORDS = {'done': REMEDIATED}", {"WORDS"}, set()),
            ("def f(x):\n x.update(outcome=outcomes.REMEDIATED)", {"f"}, set()),
            ("def f(x):\n return Word(REMEDIATED if x == REMEDIATED else x)", {"f"}, {"f"}),
            ("def f(x):\n return x in (REMEDIATED, 1)", set(), {"f"}),
            ("def f(x):\n return x[REMEDIATED] + x.count(REMEDIATED)", set(), {"f"}),
            ("def f(x):\n return REMEDIATED[x]", {"f"}, set()),
        ],
    )
    def test_who_says_and_who_reads(self, text, said, read):
        assert uses_of(ast.parse(text)) == (said, read)

    @pytest.mark.parametrize(
        "text, found",
        [
            ("def f(x):\n x.update(outcome=proof['outcome'])", {"f"}),
            ("def f(x):\n x['outcome'], x['reason'] = g()", {"f"}),
            ("def f(x):\n return make_target(K, 1, None, x, '')", {"f"}),
            ("def f(x):\n return make_target(K, 1, None, INCONCLUSIVE, x['outcome'])", set()),
            ("def f(x):\n x.update(outcome=PENDING, reason=g())", set()),
        ],
    )
    def test_who_gives_a_target_an_answer(self, text, found):
        assert outcomes_set(ast.parse(text)) == found

    def test_a_word_that_is_spelled_again(self):
        assert literals(ast.parse("x = 'remediated'; y = 'not remediated'; z = {'pending': 1}")) == {REMEDIATED, "pending"}
        assert renamed(ast.parse("from a._verdict.outcomes import REMEDIATED as GOOD, PENDING")) == ["GOOD"]
