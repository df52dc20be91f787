# SPDX-License-Identifier: Apache-2.0
"""The objects of a large cluster, of the size that they have in real ones, and how an API server is filled with them."""

import http.client
import json
import multiprocessing
import ssl
import time

from bench.processes import BenchError, say

# As many as the project promises to collect in 60 MB.
COUNTS = {"nodes": 5_000, "services": 20_000, "persistentvolumes": 50_000, "helmreleases": 20_000,
          "workloadmonitors": 5_000}
KINDS = ["Postgres", "Redis", "Kubernetes", "VirtualMachine", "Tenant", "Bucket", "Kafka", "ClickHouse"]
WORKERS = 6
FLUX, COZYSTACK = "helm.toolkit.fluxcd.io/v2", "cozystack.io/v1alpha1"
DEFINED = {"v0": [("HelmRelease", FLUX, "Namespaced"), ("WorkloadMonitor", COZYSTACK, "Namespaced")],
           "v1": [("Package", COZYSTACK, "Cluster"), ("ApplicationDefinition", COZYSTACK, "Cluster")]}


def identity(number):
    """Something of the form of a UID or a digest, different for each number."""
    return f"{number * 0x9E3779B97F4A7C15 % 2 ** 64:016x}"


def meta(name, number, namespace=None, **labels):
    """Metadata with the labels and annotations that Helm and controllers leave."""
    labels = {"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": name,
              "helm.toolkit.fluxcd.io/name": name, "helm.toolkit.fluxcd.io/namespace": "tenant-root", **labels}
    annotations = {"meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": "tenant-root",
                   "reconcile.fluxcd.io/requestedAt": f"2025-01-01T00:00:{number % 60:02}Z"}
    place = {"namespace": namespace} if namespace else {}
    return {"name": name, **place, "labels": labels, "annotations": annotations}


def node(number):
    """A machine with the fifty images that a kubelet tells of, 15 kB."""
    capacity = {"cpu": "64", "memory": "263921204Ki", "ephemeral-storage": "936568Mi", "hugepages-1Gi": "0",
                "hugepages-2Mi": "0", "pods": "110", "nvidia.com/TU104GL_TESLA_T4": "1"}
    conditions = [{"type": kind, "status": "False", "reason": f"KubeletHas{kind}", "message": f"kubelet has no {kind}",
                   "lastHeartbeatTime": "2025-01-01T00:00:00Z", "lastTransitionTime": "2025-01-01T00:00:00Z"}
                  for kind in ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable", "Ready"]]
    images = [{"names": [f"ghcr.io/cozystack/cozystack/image-{image}@sha256:{identity(number * 50 + image) * 4}",
                         f"ghcr.io/cozystack/cozystack/image-{image}:v1.0.{number % 9}"],
               "sizeBytes": 10_000_000 + image} for image in range(50)]
    name = f"node-{number}"
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta(name, number, **{"kubernetes.io/hostname": name}),
            "spec": {"podCIDR": f"10.{number // 256}.{number % 256}.0/24", "providerID": f"bench://{identity(number)}"},
            "status": {"capacity": capacity, "allocatable": capacity, "conditions": conditions, "images": images,
                       "addresses": [{"type": "Hostname", "address": name}],
                       "nodeInfo": {"architecture": "amd64", "bootID": identity(number), "machineID": identity(number),
                                    "systemUUID": identity(number), "containerRuntimeVersion": "containerd://2.0.1",
                                    "kernelVersion": f"6.6.{number % 8}-talos", "kubeProxyVersion": "v1.31.4",
                                    "kubeletVersion": "v1.31.4", "operatingSystem": "linux",
                                    "osImage": "Talos (v1.8.4)"}}}


def service(number):
    """A service; one in forty is a load balancer, the others have no address, which is faster to make."""
    spec = {"type": "LoadBalancer"} if number % 40 == 0 else {"clusterIP": "None"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta(f"service-{number}", number, "default"),
            "spec": {**spec, "selector": {"app.kubernetes.io/instance": f"service-{number}", "role": "master"},
                     "ports": [{"name": "http", "port": 80}, {"name": "metrics", "port": 9100}]}}


def volume(number):
    """A volume of LINSTOR that is claimed."""
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": meta(f"pvc-{identity(number)}", number),
            "spec": {"capacity": {"storage": f"{1 + number % 300}Gi"}, "accessModes": ["ReadWriteOnce"],
                     "storageClassName": "replicated", "persistentVolumeReclaimPolicy": "Delete",
                     "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": "tenant-root",
                                  "name": f"data-postgres-{number}", "uid": identity(number)},
                     "csi": {"driver": "linstor.csi.linbit.com", "fsType": "ext4",
                             "volumeHandle": f"pvc-{identity(number)}",
                             "volumeAttributes": {"linstor.csi.linbit.com/mount-options": "",
                                                  "linstor.csi.linbit.com/post-mount-xfs-opts": "",
                                                  "linstor.csi.linbit.com/uses-volume-context": "true",
                                                  "storage.kubernetes.io/csiProvisionerIdentity": identity(number)}}}}


def release(number):
    """A release of an application with its values and what Flux says of its last five versions."""
    kind = KINDS[number % len(KINDS)]
    history = [{"name": f"app-{number}", "namespace": "tenant-root", "version": version, "chartName": kind.lower(),
                "chartVersion": f"1.0.{version}", "digest": f"sha256:{identity(number + version) * 4}",
                "configDigest": f"sha256:{identity(number) * 4}", "status": "superseded",
                "firstDeployed": "2025-01-01T00:00:00Z", "lastDeployed": "2025-01-01T00:00:00Z"} for version in range(5)]
    return {"apiVersion": FLUX, "kind": "HelmRelease",
            "metadata": meta(f"app-{number}", number, "default", **{"apps.cozystack.io/application.kind": kind}),
            "spec": {"interval": "5m", "chart": {"spec": {"chart": kind.lower(), "version": ">= 0.0.0-0"}},
                     "values": {"size": "10Gi", "replicas": 2, "users": {f"user{user}": {"password": identity(user)}
                                                                        for user in range(10)}}},
            "status": {"observedGeneration": 1, "history": history, "lastAttemptedRevision": "1.0.4"}}


def monitor(number):
    """A monitored workload with its status."""
    kind = KINDS[number % len(KINDS)].lower()
    return {"apiVersion": COZYSTACK, "kind": "WorkloadMonitor", "metadata": meta(f"monitor-{number}", number, "default"),
            "spec": {"kind": kind, "type": kind, "version": f"0.{number % 20}.0", "replicas": 3, "minReplicas": 1,
                     "selector": {"app.kubernetes.io/instance": f"monitor-{number}"}},
            "status": {"operational": True, "availableReplicas": 3, "observedReplicas": 3}}


def definition(kind, group_version, scope):
    """A CustomResourceDefinition that lets everything through, so that objects can be made with their status."""
    group, version = group_version.split("/")
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{kind.lower()}s.{group}"},
            "spec": {"group": group, "scope": scope,
                     "names": {"plural": f"{kind.lower()}s", "singular": kind.lower(), "kind": kind,
                               "listKind": f"{kind}List"},
                     "versions": [{"name": version, "served": True, "storage": True, "schema": schema}]}}


RESOURCES = {
    "nodes": ("/api/v1/nodes", node),
    "services": ("/api/v1/namespaces/default/services", service),
    "persistentvolumes": ("/api/v1/persistentvolumes", volume),
    "helmreleases": (f"/apis/{FLUX}/namespaces/default/helmreleases", release),
    "workloadmonitors": (f"/apis/{COZYSTACK}/namespaces/default/workloadmonitors", monitor),
}


def define(server, generation):
    """Teaches the server the kinds that a generation has more than the one before it, and waits until it does."""
    for kind, group_version, scope in DEFINED[generation]:
        server.request("/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                       definition(kind, group_version, scope))
    for kind, group_version, _ in DEFINED[generation]:
        wait_for(server, f"/apis/{group_version}/{kind.lower()}s")
    if generation == "v1":
        for kind in KINDS:
            server.request(f"/apis/{COZYSTACK}/applicationdefinitions", {
                "apiVersion": COZYSTACK, "kind": "ApplicationDefinition", "metadata": {"name": kind.lower()},
                "spec": {"application": {"kind": kind}}})
        for number in range(60):
            server.request(f"/apis/{COZYSTACK}/packages", {
                "apiVersion": COZYSTACK, "kind": "Package", "metadata": {"name": f"cozystack.package-{number}"},
                "spec": {"variant": "default"}})


def wait_for(server, path):
    """Waits until the server serves a path."""
    for _ in range(300):
        try:
            return server.request(path)
        except BenchError:
            time.sleep(0.1)  # A kind that is defined is served a moment later; nothing tells when.
    raise BenchError(f"{path} was not served after 30 seconds")


def fill(server, scale):
    """Makes the objects in parallel; gives how many there are of each resource."""
    counts = {resource: max(1, round(count * scale)) for resource, count in COUNTS.items()}
    # Workers are new processes: they share neither memory nor TLS sessions with this one.
    with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
        for resource, count in counts.items():
            say(f"filling: {count:,} {resource}")
            parts = [(server.port, server.token, resource, range(start, count, WORKERS)) for start in range(WORKERS)]
            pool.starmap(create, parts)
    return counts


def create(port, token, resource, numbers):
    """Makes some of the objects of a resource, one after the other on one connection."""
    path, build = RESOURCES[resource]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "User-Agent": "bench"}
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=ssl._create_unverified_context(), timeout=60)
    for number in numbers:
        connection.request("POST", path, json.dumps(build(number)), headers)
        response = connection.getresponse()
        body = response.read()
        if response.status != 201:
            raise BenchError(f"{path}: status {response.status}: {body[:300].decode(errors='replace')}")
    connection.close()
