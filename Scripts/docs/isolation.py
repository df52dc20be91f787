# SPDX-License-Identifier: Apache-2.0
"""A network, a file system and processes of one's own: the default ports and paths are free, and nothing is left behind."""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

WAYS = [["--net", "--mount", "--pid"], ["--net", "--mount", "--pid", "--user", "--map-root-user"]]
INSIDE = "CHECK_DOCS_IS_INSIDE"
# What the commands write to beside the working directory.
PLACES = ["/var/lib", "/var/backups", "/var/log"]


def enter():
    """Starts the script again with a network of its own; false where the system does not allow that."""
    if os.environ.get(INSIDE):
        bring_up_loopback()
        for place in filter(os.path.isdir, PLACES):
            subprocess.run(["mount", "-t", "tmpfs", "none", place], check=True)
        return True
    for way in WAYS if shutil.which("unshare") else []:
        command = ["unshare", *way, "--fork", "--kill-child", "--mount-proc"]
        if subprocess.run([*command, "true"], stderr=subprocess.DEVNULL).returncode == 0:
            os.environ[INSIDE] = "1"
            os.execvp(command[0], [*command, sys.executable, *sys.argv])
    return False


def bring_up_loopback():
    """Sets the flag IFF_UP of lo, as `ip link set lo up` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = bytearray(struct.pack("16sh22x", b"lo", 0))
        fcntl.ioctl(handle, 0x8913, request)  # SIOCGIFFLAGS
        flags = struct.unpack_from("h", request, 16)[0] | 1
        fcntl.ioctl(handle, 0x8914, struct.pack("16sh22x", b"lo", flags))  # SIOCSIFFLAGS
