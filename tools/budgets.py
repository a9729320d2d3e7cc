"""Reads tests/budgets.txt."""

import pathlib

PATH = pathlib.Path(__file__).parent.parent / "tests" / "budgets.txt"


def read():
    """{(platform, figure): budget}"""
    rows = (line.split() for line in PATH.read_text(encoding="utf-8").splitlines())
    return {(row[0], row[1]): int(row[2]) for row in rows if row and row[0] != "#"}
