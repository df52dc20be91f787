# SPDX-License-Identifier: Apache-2.0
"""What can be said of a command without running it: its target, its options and its files are there."""

import functools
import re
import shlex
import subprocess

VARIABLE = re.compile(r"^([A-Z_]+)=")
OPTION = re.compile(r"^--[a-z][a-z-]*")


class Parts:
    """Looks at commands that are not run."""

    def __init__(self, root, program):
        self.root = root
        self.program = program
        self.makefile = (root / "Makefile").read_text()

    def wrong(self, text):
        """What is wrong with a command, in words; nothing where nothing is."""
        try:
            words = shlex.split(text, comments=True)
        except ValueError as error:
            return [str(error)]
        found = [f"there is no {word}" for word in words if self.is_missing(word)]
        for place, word in enumerate(words):
            if word == "cozy-telemetry" and (place == 0 or self.is_command(words[place + 1:place + 2])):
                found += self.wrong_command(words[place + 1:])
            if word == "make" and all(VARIABLE.match(before) for before in words[:place]):
                found += self.wrong_target(words[place + 1:])
        return found

    def is_missing(self, word):
        """Whether a word names a file of the repository that is not there."""
        folder, slash, rest = word.partition("/")
        is_ours = folder in ("charts", "deploy", "docs", "examples", "Scripts", "Benchmarks", "Sources", "Tests")
        is_plain = re.fullmatch(r"[\w./-]+", word) is not None
        return bool(slash and rest and is_ours and is_plain and not (self.root / word).exists())

    def wrong_target(self, words):
        """What a call of make names and the Makefile does not have."""
        for word in words:
            variable = VARIABLE.match(word)
            if variable and not re.search(rf"\b{variable[1]}\b", self.makefile):
                yield f"the Makefile knows no {variable[1]}"
            elif not variable and not word.startswith("-") and not self.has_target(word):
                yield f"the Makefile has no target {word}"

    def has_target(self, name):
        """Whether the Makefile makes something of this name."""
        return re.search(rf"^{re.escape(name)}:", self.makefile, re.MULTILINE) is not None

    def wrong_command(self, words):
        """What a call of the program names and its help does not have."""
        subcommands = []
        while words and re.fullmatch(r"[a-z][a-z-]*", words[0]) and self.help((*subcommands, words[0])):
            subcommands.append(words.pop(0))
        if words and re.match(r"[a-z]", words[0]) and "SUBCOMMANDS:" in self.help(tuple(subcommands)):
            return [f"{' '.join(['cozy-telemetry', *subcommands])} has no command {words[0]}"]
        known = set(re.findall(r"--[a-z][a-z-]*", self.help(tuple(subcommands))))
        options = (OPTION.match(word) for word in words)
        return [f"cozy-telemetry {' '.join(subcommands)} has no {option[0]}".replace("  ", " ")
                for option in options if option and option[0] not in known | {"--help", "--generate-completion-script"}]

    def is_command(self, words):
        """Whether the program has a command of this name."""
        return any(re.fullmatch(r"[a-z][a-z-]*", word) and self.help((word,)) for word in words)

    @functools.cache
    def help(self, subcommands):
        """The help of a command, or nothing where there is no such command."""
        result = subprocess.run([self.program, *subcommands, "--help"], capture_output=True, text=True)
        # A word that is no command is an argument of the one before it, whose help comes then.
        usage = f"USAGE: cozy-telemetry {' '.join(subcommands)}".rstrip()
        return result.stdout if result.returncode == 0 and usage in " ".join(result.stdout.split()) else ""
