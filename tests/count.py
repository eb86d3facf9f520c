#!/usr/bin/env python3
"""Adds up what meson's test logs say, TAP subtest by subtest, and ends with one line for people and machines.

Usage: count.py TESTLOG.json...
"""
import json
import re
import sys

PLAN = re.compile(r"^1\.\.\d+", re.MULTILINE)
SUBTEST = re.compile(r"^(not )?ok\b(.*)$", re.MULTILINE)
GOOD = {"OK", "EXPECTEDFAIL"}


def outcomes(test):
    """Yields (outcome, what) of each subtest of one test program."""
    output = test.get("stdout") or ""
    failed = False
    if PLAN.search(output):
        for negated, rest in SUBTEST.findall(output):
            if "# skip" in rest.lower():
                yield "skipped", rest.strip()
            elif negated and "# todo" not in rest.lower():
                failed = True
                yield "failed", rest.strip()
            else:
                yield "passed", rest.strip()
        # A program that dies or runs out of time never says "not ok".
        if not failed and test["result"] not in GOOD | {"SKIP"}:
            yield "failed", test["result"].lower()
    elif test["result"] in GOOD:
        yield "passed", ""
    else:
        yield ("skipped" if test["result"] == "SKIP" else "failed"), test["result"].lower()


def main(logs):
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    for log in logs:
        with open(log, encoding="utf-8") as lines:
            for line in lines:
                test = json.loads(line)
                for outcome, what in outcomes(test):
                    totals[outcome] += 1
                    if outcome != "passed":
                        print(f"{outcome}: {test['name']} {what}")
    skipped = f", {totals['skipped']} skipped" if totals["skipped"] else ""
    print(f"{totals['passed']} passed, {totals['failed']} failed{skipped}")
    return 1 if totals["failed"] or not totals["passed"] else 0


sys.exit(main(sys.argv[1:]))
