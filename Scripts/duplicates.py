#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails where the same ten or more lines of code stand in two places.

Blank lines, comments, imports and lines of punctuation alone do not count.
"""

import pathlib
import re
import sys

RUN = 10


def code_lines(path):
    """The lines that count, each with its number, white space folded."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = " ".join(line.split())
        if text and not text.startswith(("//", "import ", "public import ", "@testable ")) and re.search(r"\w", text):
            yield number, text


def main(folders):
    places = {}
    found = []
    for path in sorted(file for folder in folders for file in pathlib.Path(folder).rglob("*.swift")):
        lines = list(code_lines(path))
        last = None
        for start in range(len(lines) - RUN + 1):
            run = tuple(text for _, text in lines[start:start + RUN])
            here = (path, lines[start][0], lines[start + RUN - 1][0], start)
            first = places.setdefault(run, here)
            if first is not here and (last is None or start > last + 1 or first[0] != found[-1][0][0]):
                found.append((first, here))
            if first is not here:
                last = start
    for first, second in found:
        print(f"{second[0]}:{second[1]}: the same {RUN} lines or more as {first[0]}:{first[1]}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
