#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the documentation of the libraries with DocC, from a build that is there; a warning is an error.

The examples in it are compiled, too. usage: documentation.py BUILD OUTPUT, where BUILD is what `swift build --show-bin-path` says.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LIBRARIES = ["Exposition", "TelemetryModel", "ReportStore"]


def run(*command):
    """Runs a command; ends with all that it said where it fails."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        sys.exit(f"documentation: {' '.join(map(str, command[:2]))} failed:\n{result.stdout.strip()[:2_000]}")
    return result.stdout


def search_paths(build):
    """Where the compiler finds the modules of a build, and the C modules that some of them import."""
    maps = sorted((build.parent.parent / "checkouts").glob("*/Sources/**/module.modulemap"))
    return ["-I", str(build / "Modules"), *(word for path in maps for word in ("-Xcc", f"-fmodule-map-file={path}"))]


def target():
    """The triple that the compiler builds for."""
    return json.loads(run("swiftc", "-print-target-info"))["target"]["unversionedTriple"]


def check_examples(library, paths, scratch):
    """Compiles each example of a library's pages by itself."""
    for page in sorted((ROOT / "Sources" / library / f"{library}.docc").glob("*.md")):
        for number, code in enumerate(re.findall(r"^```swift\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)):
            file = scratch / f"{page.stem}{number}.swift"
            file.write_text(code)
            run("swiftc", "-typecheck", "-swift-version", "6", "-warnings-as-errors", *paths, str(file))


def document(library, paths, scratch, output):
    """Makes the archive of a library."""
    graphs = scratch / library
    graphs.mkdir()
    run("swift", "symbolgraph-extract", "-module-name", library, "-minimum-access-level", "public", "-output-dir",
        str(graphs), "-target", target(), *paths)
    archive = output / f"{library}.doccarchive"
    run("docc", "convert", str(ROOT / "Sources" / library / f"{library}.docc"), "--additional-symbol-graph-dir", str(graphs),
        "--fallback-display-name", library, "--fallback-bundle-identifier", f"io.cozystack.{library}", "--warnings-as-errors",
        "--output-dir", str(archive))
    return str(archive)


def main():
    """Makes all archives, and a site of them."""
    build, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    shutil.rmtree(output, ignore_errors=True)
    scratch = output / "scratch"
    scratch.mkdir(parents=True)
    paths = search_paths(build)
    for library in LIBRARIES:
        check_examples(library, paths, scratch)
    archives = [document(library, paths, scratch, output) for library in LIBRARIES]
    run("docc", "merge", *archives, "--synthesized-landing-page-name", "cozy-telemetry", "--output-path", str(output / "site"))
    shutil.rmtree(scratch)
    print(f"documentation: {output / 'site'}; to read it: python3 -m http.server --directory {output / 'site'}")


if __name__ == "__main__":
    main()
