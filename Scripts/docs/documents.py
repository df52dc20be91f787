# SPDX-License-Identifier: Apache-2.0
"""What stands in the documents: commands, code in lines, links, headings."""

import dataclasses
import pathlib
import re
import subprocess

FENCE = re.compile(r"^\s*```(\w*)\s*$")
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")


@dataclasses.dataclass(frozen=True)
class Command:
    """One command of a block, as it stands there."""

    page: pathlib.PurePath
    line: int
    text: str

    @property
    def key(self):
        """How the table names it: on one line, without a comment behind it."""
        return " ".join(re.sub(r"\\\n|\s#\s.*$", " ", self.text, flags=re.MULTILINE).split())

    def __str__(self):
        return f"{self.page}:{self.line}: {self.key}"


class Page:
    """A document of the repository."""

    def __init__(self, root, path):
        self.path = path
        self.lines = (root / path).read_text().splitlines()

    def blocks(self):
        """The blocks of code: language, number of the first line, lines."""
        language, begin = None, 0
        for number, line in enumerate(self.lines):
            fence = FENCE.match(line)
            if not fence:
                continue
            if language is None:
                language, begin = fence[1], number + 1
            else:
                yield language, begin, self.lines[begin:number]
                language = None

    def prose(self):
        """The lines outside of blocks, with their numbers."""
        inside = {number for _, begin, lines in self.blocks() for number in range(begin - 1, begin + len(lines) + 1)}
        return [(number + 1, line) for number, line in enumerate(self.lines) if number not in inside]

    def commands(self):
        """What the blocks tell people to type, a command each."""
        for language, begin, lines in self.blocks():
            if language != "sh":
                continue
            part = []
            for number, line in enumerate(lines):
                if not part and (not line.strip() or line.lstrip().startswith("#")):
                    continue
                part.append(line)
                if is_whole("\n".join(part)):
                    yield Command(self.path, begin + number + 2 - len(part), "\n".join(part).strip())
                    part = []
            if part:
                yield Command(self.path, begin + len(lines), "\n".join(part).strip())

    def code(self):
        """The code within lines, with the numbers of the lines."""
        return [(number, code) for number, line in self.prose() for code in CODE.findall(line)]

    def links(self):
        """Where links lead, with the numbers of the lines."""
        return [(number, target) for number, line in self.prose() for target in LINK.findall(CODE.sub("", line))]

    def anchors(self):
        """What a link may name behind `#`, as GitHub makes it of headings."""
        found = set()
        for _, line in self.prose():
            if line.startswith("#"):
                title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line.lstrip("#").strip())
                name = anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
                count = 0
                while anchor in found:
                    count += 1
                    anchor = f"{name}-{count}"
                found.add(anchor)
        return found


def is_whole(text):
    """Whether a shell would run it and not ask for another line."""
    if text.endswith("\\"):
        return False
    return subprocess.run(["bash", "-n"], input=text, text=True, stderr=subprocess.DEVNULL).returncode == 0


def pages(root):
    """All documents whose commands people type."""
    paths = [root / "README.md", root / "CONTRIBUTING.md", *sorted(root.glob("docs/*.md")),
             *sorted(root.glob("examples/**/README.md"))]
    return [Page(root, path.relative_to(root)) for path in paths]
