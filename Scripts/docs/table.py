# SPDX-License-Identifier: Apache-2.0
"""The table of commands that take something before they can be run here, or cannot."""

import re
import tomllib


class Table:
    """What `table.toml` says, and what of it was used."""

    def __init__(self, path):
        with open(path, "rb") as file:
            text = tomllib.load(file)
        self.commands = {" ".join(entry["text"].split()): entry for entry in text.get("command", [])}
        self.programs = text.get("program", [])
        self.serving = text.get("serves", [])
        self.used = set()

    def entry(self, command):
        """What it says of a command; an entry of its own goes before one of its program."""
        if command.key in self.commands:
            self.used.add(command.key)
            return self.commands[command.key]
        for program in self.programs:
            if re.match(rf"([A-Z_]+=\S+ )*{program['name']}( |$)", command.key):
                self.used.add(program["name"])
                return self.rewritten(program, command)
        return {}

    @staticmethod
    def rewritten(program, command):
        """The entry of a program for one of its commands: with what is run in its place, where something is."""
        if "instead" not in program:
            return program
        return {**program, "instead": re.sub(program["name"], program["instead"], command.text, count=1)}

    def serves(self, text):
        """What it says of a program that goes on."""
        found = next((entry for entry in self.serving if re.match(entry["command"], " ".join(text.split()))), None)
        if found:
            self.used.add(found["command"])
        return found

    def unused(self):
        """Entries that no document has a command for any more."""
        names = [*self.commands, *(program["name"] for program in self.programs),
                 *(entry["command"] for entry in self.serving)]
        return [name for name in names if name not in self.used]
