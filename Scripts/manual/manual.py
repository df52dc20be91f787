#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the manual page of cozy-telemetry to standard output, from what the program says of itself on standard input
(cozy-telemetry --experimental-dump-help) and the sections that it knows nothing of (page.mdoc beside this file)."""

import datetime
import json
import os
import pathlib
import re
import sys
import textwrap


def escaped(text):
    """A line that roff takes for text."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def sentences(text):
    """Lines of running text, each sentence begun on a line of its own as mdoc wants it, and short."""
    return [escaped(line) for sentence in re.split(r"(?<=[.;:]) +(?=[A-Z(])", " ".join(text.split()))
            for line in textwrap.wrap(sentence, 70, break_long_words=False, break_on_hyphens=False)]


def prose(text):
    """Paragraphs; those with indented lines keep their lines."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip("\n"))):
        if number:
            yield ".Pp"
        if re.search(r"^ ", paragraph, re.MULTILINE):
            yield from [".Bd -literal -offset indent", *map(escaped, paragraph.splitlines()), ".Ed"]
        else:
            yield from sentences(paragraph)


def shown(command):
    """What the command takes, in order, but for what every command takes."""
    hidden = {"help", "version"}
    return [argument for argument in command.get("arguments", [])
            if argument["shouldDisplay"] and argument["valueName"] not in hidden]


def tag(argument):
    """The line that names an argument."""
    value = f"Ar {argument['valueName']}"
    if argument["kind"] == "positional":
        return f".It {value}"
    flag = "Fl " + "\\-" + escaped(argument["preferredName"]["name"])
    return f".It {flag}" if argument["kind"] == "flag" else f".It {flag} {value}"


def described(argument):
    """What an argument means, with its values and what it is where it is not given."""
    text = argument.get("abstract", "")
    if values := argument.get("allValues"):
        text += f" One of {', '.join(values)}."
    if (default := argument.get("defaultValue")) and "default:" not in text:
        text += f" Where it is not given, {default}." if argument["kind"] != "flag" else ""
    return sentences(text)


def commands(command, path=()):
    """A part for each command that does something, those of groups after them."""
    for child in command.get("subcommands", []):
        if child["commandName"] == "help" or not child.get("shouldDisplay", True):
            continue
        names = [*path, child["commandName"]]
        yield f".Ss {' '.join(map(escaped, names))}"
        yield from sentences(child.get("abstract", ""))
        if discussion := child.get("discussion"):
            yield ".Pp"
            yield from prose(discussion)
        if arguments := shown(child):
            yield ".Bl -tag -width Ds"
            for argument in arguments:
                yield tag(argument)
                yield from described(argument)
            yield ".El"
        yield from commands(child, names)


def exit_status(command):
    """The list of statuses, which the program's own help has as lines of a number and a meaning."""
    yield ".Bl -tag -width Ds"
    for number, meaning in re.findall(r"^ +(\d+) +(.+)$", command["discussion"], re.MULTILINE):
        yield f".It {number}"
        yield from sentences(meaning[0].upper() + meaning[1:] + ".")
    yield ".El"


def main():
    command = json.load(sys.stdin)["command"]
    # Where somebody builds the same twice, the page is the same, too (reproducible-builds.org).
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc) if epoch else datetime.datetime.now()
    parts = {
        "@date@": [f".Dd {moment:%B} {moment.day}, {moment.year}"],
        "@abstract@": [f".Nd {escaped(command['abstract'].rstrip('.'))}"],
        "@commands@": list(commands(command)),
        "@exit status@": list(exit_status(command)),
    }
    template = pathlib.Path(__file__).with_name("page.mdoc").read_text(encoding="utf-8")
    for line in template.splitlines():
        if not line.startswith('.\\"'):
            print("\n".join(parts.get(line, [line])))


if __name__ == "__main__":
    main()
