# SPDX-License-Identifier: Apache-2.0
"""etcd and kube-apiserver on loopback: a cluster without nodes and controllers, for what only reads from it."""

import json
import os
import re
import secrets
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request

from bench.processes import BenchError, Server

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: bench
clusters: [{{name: bench, cluster: {{server: "{url}", insecure-skip-tls-verify: true}}}}]
users: [{{name: admin, user: {{token: "{token}"}}}}]
contexts: [{{name: bench, context: {{cluster: bench, user: admin}}}}]
"""
# Every list is written down with its user agent and its query.
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [{"level": "Metadata", "verbs": ["list"]}, {"level": "None"}],
}
LISTED = re.compile(r'^apiserver_response_sizes_sum\{(?=.*verb="LIST").*\} (\S+)$', re.MULTILINE)


def asset(name):
    """A binary in KUBEBUILDER_ASSETS."""
    path = shutil.which(name, path=os.environ.get("KUBEBUILDER_ASSETS", ""))
    if path is None:
        raise BenchError(f"no {name}: set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver")
    return path


class Etcd(Server):
    """The database of the API server."""

    name = "etcd"
    ready_path = "/health"

    def __init__(self):
        super().__init__(asset("etcd"))

    def arguments(self):
        client, peer = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.admin_port}"
        return ["--name=bench", f"--data-dir={self.data}", "--logger=zap", "--log-level=warn", "--unsafe-no-fsync",
                "--quota-backend-bytes=8589934592", f"--listen-client-urls={client}",
                f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=bench={peer}"]


class ApiServer(Server):
    """A kube-apiserver that one administrator may do everything with."""

    name = "kube-apiserver"

    def __init__(self, etcd):
        super().__init__(asset("kube-apiserver"))
        self.etcd = etcd
        self.token = secrets.token_hex(16)
        self.context = ssl._create_unverified_context()

    def arguments(self):
        self.url = f"https://127.0.0.1:{self.port}"
        self.kubeconfig = self.write("kubeconfig", KUBECONFIG.format(url=self.url, token=self.token))
        self.audit = self.directory / "audit.log"
        policy = self.write("policy.json", json.dumps(AUDIT_POLICY))
        tokens = self.write("tokens.csv", f'{self.token},admin,admin,"system:masters"\n')
        key = self.directory / "accounts.key"
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key)], check=True)
        return [f"--etcd-servers=http://127.0.0.1:{self.etcd.port}", f"--secure-port={self.port}",
                "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
                f"--cert-dir={self.directory}", f"--token-auth-file={tokens}", "--authorization-mode=RBAC",
                f"--service-account-issuer={self.url}", f"--service-account-key-file={key}",
                f"--service-account-signing-key-file={key}", "--service-cluster-ip-range=10.0.0.0/16",
                "--disable-admission-plugins=ServiceAccount", "--max-requests-inflight=0",
                "--max-mutating-requests-inflight=0", "--enable-priority-and-fairness=false",
                f"--audit-policy-file={policy}", f"--audit-log-path={self.audit}", "--audit-log-mode=blocking-strict"]

    def write(self, name, text):
        """Writes a file that only its owner may read."""
        path = self.directory / name
        path.touch(0o600)
        path.write_text(text)
        return path

    def wait_until_ready(self):
        """Waits until the server and the namespace that it makes at last are there."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise BenchError(f"{self.name} ended with {self.process.returncode}:\n{self.log_tail()}")
            try:
                return self.request("/readyz"), self.request("/api/v1/namespaces/kube-system")
            except (OSError, BenchError):
                time.sleep(0.1)  # A server that starts gives no sign that could be waited for.
        raise BenchError(f"{self.name} was not ready after 60 seconds:\n{self.log_tail()}")

    def request(self, path, body=None):
        """The body of a response of 2xx."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        try:
            request = urllib.request.Request(self.url + path, data, headers)
            with urllib.request.urlopen(request, context=self.context, timeout=60) as response:
                return response.read()
        except urllib.error.HTTPError as error:
            raise BenchError(f"{path}: status {error.code}: {error.read(300).decode(errors='replace')}") from error

    def listed_bytes(self):
        """The bytes that lists were answered with so far, as they were sent."""
        return sum(float(value) for value in LISTED.findall(self.request("/metrics").decode()))

    def lists(self, agent):
        """The URIs of the lists that a user agent asked for so far, of those that were answered."""
        entries = map(json.loads, self.audit.read_text().splitlines())
        return [entry["requestURI"] for entry in entries
                if entry.get("userAgent", "").startswith(agent) and entry["responseStatus"]["code"] == 200]
