# SPDX-License-Identifier: Apache-2.0
"""Writes what the program is made of: SPDX 2.3 with versions and licences, and the texts of the licences beside it.

usage: swift package show-dependencies --format json | sbom.py PROGRAM VERSION DIRECTORY
"""

import datetime
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import uuid

# What is linked in of the system's libraries: the Debian package, its licence in SPDX's terms.
SYSTEM = {
    "libc6-dev": "LGPL-2.1-or-later",
    "libsqlite3-dev": "blessing",
    "libstdc++-12-dev": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "zlib1g-dev": "Zlib",
}


def licence(text):
    """The SPDX expression for the text of a licence."""
    if "Apache License" in text and "Version 2.0" in text:
        return "Apache-2.0 WITH Swift-exception" if "Runtime Library Exception" in text else "Apache-2.0"
    if "Permission is hereby granted, free of charge" in text:
        return "MIT"
    return None


def flattened(node, found):
    """All packages of the tree by their name, each with what it needs."""
    for child in node["dependencies"]:
        entry = found.setdefault(child["identity"], {**child, "needs": set()})
        entry["needs"] |= {grandchild["identity"] for grandchild in child["dependencies"]}
        flattened(child, found)
    return found


def identifier(name):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def package(name, version, location, expression, purl):
    return {
        "name": name,
        "SPDXID": identifier(name),
        "versionInfo": version,
        "downloadLocation": location,
        "filesAnalyzed": False,
        "licenseConcluded": expression,
        "licenseDeclared": expression,
        "copyrightText": "NOASSERTION",
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}
        ],
    }


def swift_packages(tree, licences):
    for name, entry in sorted(flattened(tree, {}).items()):
        checkout = pathlib.Path(entry["path"])
        texts = [file for file in sorted(checkout.iterdir()) if re.match(r"(?i)(licen[cs]e|notice)", file.name)]
        expressions = [found for file in texts if file.is_file() and (found := licence(file.read_text()))]
        if not expressions:
            sys.exit(f"sbom: the licence of {name} is not known: look at {checkout} and teach {__file__}")
        for file in texts:
            copy(file, licences / name / file.name)
        url = entry["url"].removesuffix(".git")
        purl = f"pkg:swift/{url.removeprefix('https://')}@{entry['version']}"
        yield package(name, entry["version"], f"git+{url}@{entry['version']}", expressions[0], purl), entry["needs"]


def system_packages(licences):
    for name, expression in SYSTEM.items():
        query = subprocess.run(
            ["dpkg-query", "--show", "--showformat", "${Version}", name], capture_output=True, text=True
        )
        version = query.stdout or "NOASSERTION"
        copyright = pathlib.Path(f"/usr/share/doc/{name}/copyright")
        if copyright.exists():
            copy(copyright, licences / name / "copyright")
        yield package(name, version, "NOASSERTION", expression, f"pkg:deb/debian/{name}@{version}")


def toolchain(licences):
    """Swift's own libraries, which have ICU in them."""
    text = subprocess.run(["swift", "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"Swift version ([0-9.]+)", text).group(1)
    swift = pathlib.Path(shutil.which("swift")).resolve()
    file = swift.parent.parent / "share/swift/LICENSE.txt"
    if file.exists():
        copy(file, licences / "swift" / file.name)
    expression = "Apache-2.0 WITH Swift-exception AND Unicode-3.0"
    location = f"git+https://github.com/swiftlang/swift@swift-{version}-RELEASE"
    return package("swift", version, location, expression, f"pkg:swift/github.com/swiftlang/swift@{version}")


def copy(file, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file.resolve(), target)


def main():
    program, version, directory = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    tree = json.load(sys.stdin)
    licences = directory / "licenses"
    shutil.rmtree(licences, ignore_errors=True)
    home = "https://github.com/cozystack/cozy-telemetry"
    own = package("cozy-telemetry", version, f"git+{home}", "Apache-2.0", f"pkg:github/cozystack/cozy-telemetry@{version}")
    digest = hashlib.sha256(pathlib.Path(program).read_bytes()).hexdigest()
    own["checksums"] = [{"algorithm": "SHA256", "checksumValue": digest}]
    swift = list(swift_packages(tree, licences))
    linked = [toolchain(licences), *system_packages(licences)]
    needs = [(own["name"], child["identity"]) for child in tree["dependencies"]]
    needs += [(entry["name"], other) for entry, others in swift for other in sorted(others)]
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", own["SPDXID"])]
    relations += [(identifier(one), "DEPENDS_ON", identifier(other)) for one, other in needs]
    relations += [(own["SPDXID"], "STATIC_LINK", entry["SPDXID"]) for entry in linked]
    moment = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), datetime.timezone.utc)
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"cozy-telemetry-{version}",
        "documentNamespace": f"{home}/spdx/{uuid.uuid5(uuid.NAMESPACE_URL, digest)}",
        "creationInfo": {
            "created": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: cozy-telemetry-sbom"],
        },
        "packages": [own, *(entry for entry, _ in swift), *linked],
        "relationships": [
            {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other} for one, kind, other in relations
        ],
    }
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "cozy-telemetry.spdx.json").write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")


main()
