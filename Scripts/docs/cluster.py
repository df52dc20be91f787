# SPDX-License-Identifier: Apache-2.0
"""A real API server with the objects of Cozystack that commands name."""

import contextlib
import os
import subprocess

from bench import cluster
from bench.control_plane import ApiServer, Etcd

CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: cozystack, namespace: cozy-system}
data: {bundle-name: paas-full, cozystack-version: v0.41.0}
"""
PACKAGE = """\
apiVersion: cozystack.io/v1alpha1
kind: Package
metadata: {name: cozystack.cozystack-PART}
spec: {variant: default}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: cozystack-PART, namespace: cozy-system}
spec:
  selector: {matchLabels: {app: cozystack-PART}}
  template:
    metadata: {labels: {app: cozystack-PART}}
    spec: {containers: [{name: manager, image: cozystack-PART, args: [--leader-elect]}]}
"""
RESET = """
kubectl delete namespace ingest --ignore-not-found --wait=false
kubectl delete --ignore-not-found -n cozy-system configmap/cozystack deployments/cozystack-operator deployments/cozystack-controller
kubectl delete --ignore-not-found packages.cozystack.io cozystack.cozystack-platform cozystack.cozystack-engine
kubectl delete --ignore-not-found -n cozy-telemetry secret,configmap,lease --all
"""


class Cluster(contextlib.ExitStack):
    """Started when it is first asked for, and the same for all documents."""

    def __init__(self):
        super().__init__()
        self.server = None

    @staticmethod
    def is_possible():
        """Whether there is an API server to start."""
        assets = os.environ.get("KUBEBUILDER_ASSETS", "")
        return os.access(os.path.join(assets, "kube-apiserver"), os.X_OK)

    def kubeconfig(self):
        """The administrator's way to the API server."""
        if self.server is None:
            self.server = self.enter_context(ApiServer(self.enter_context(Etcd())))
            for generation in ("v0", "v1"):
                cluster.define(self.server, generation)
            for resource, count in {"nodes": 3, "persistentvolumes": 9, "services": 40, "helmreleases": 12}.items():
                path, build = cluster.RESOURCES[resource]
                for number in range(count):
                    self.server.request(path, build(number))
            self.kubectl("kubectl create namespace cozy-system; kubectl create namespace cozy-telemetry")
        return str(self.server.kubeconfig)

    def reset(self):
        """Makes it as it was before anybody typed anything."""
        objects = "---\n".join([CONFIG, *(PACKAGE.replace("PART", part) for part in ("platform", "engine")),
                                *(DEPLOYMENT.replace("PART", part) for part in ("operator", "controller"))])
        self.kubectl(RESET + "kubectl create -f -", objects)

    def kubectl(self, lines, text=""):
        """Runs lines of a shell as the administrator."""
        environment = {**os.environ, "KUBECONFIG": self.kubeconfig()}
        subprocess.run(["bash", "-euc", lines], input=text, text=True, env=environment, check=True, capture_output=True)
