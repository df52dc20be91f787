# SPDX-License-Identifier: Apache-2.0
"""The systems that take reports: how each is started and asked."""

import datetime
import json

from bench.processes import Server, fetch


def metric_sum(text, name):
    """The sum of a metric over its labels in the text format."""
    lines = (line.rpartition(" ") for line in text.decode().splitlines() if line.startswith((name + " ", name + "{")))
    return sum(float(value) for _, _, value in lines)


class Ours(Server):
    """This repository's backend."""

    name = "cozy-telemetry"
    headers = ["X-Cluster-ID: {id}", "Content-Type: text/plain"]
    ready_path = "/readyz"

    def arguments(self):
        return ["server", "--listen-addr", f"127.0.0.1:{self.port}", "--admin-addr", f"127.0.0.1:{self.admin_port}",
                "--data-dir", str(self.data), "--max-connections-per-address", "10000",
                "--max-requests-per-connection", "1000000000", "--rate-limits", "off"]

    def metric(self, name):
        """The sum of a metric over its labels."""
        return metric_sum(fetch(self.admin_port, "/metrics"), name)

    def clusters(self):
        """How many clusters it counts this month."""
        today = datetime.datetime.now(datetime.timezone.utc)
        answer = json.loads(fetch(self.port, f"/api/overview?year={today.year}&month={today.month}"))
        return answer["periods"]["month"]["clusters"]


class VictoriaMetrics(Server):
    """VictoriaMetrics' import of the text format: every report becomes samples of its time."""

    name = "VictoriaMetrics"
    binary = "victoria-metrics"
    path = "/api/v1/import/prometheus?extra_label=cluster_id={id}"
    statuses = [204]
    ready_path = "/health"
    index = "indexdb"

    def arguments(self):
        return [f"-httpListenAddr=127.0.0.1:{self.port}", f"-storageDataPath={self.data}", "-retentionPeriod=3y",
                "-loggerLevel=WARN"]

    def clusters(self):
        """How many clusters its series are of, at 12 series a cluster."""
        fetch(self.port, "/internal/force_flush")
        return json.loads(fetch(self.port, "/api/v1/series/count"))["data"][0] // 12

    def metric(self, name):
        """The sum of a metric over its labels."""
        return metric_sum(fetch(self.port, "/metrics"), name)


class Pushgateway(Server):
    """Prometheus' pushgateway: every cluster is a group that its report replaces."""

    name = "Pushgateway"
    binary = "prometheus-pushgateway"
    method = "PUT"
    path = "/metrics/job/cozy/cluster_id/{id}"
    statuses = [200, 202]
    ready_path = "/-/ready"

    def arguments(self):
        self.data.mkdir(exist_ok=True)
        return [f"--web.listen-address=127.0.0.1:{self.port}", f"--persistence.file={self.data}/groups"]

    def clusters(self):
        """How many groups there are."""
        return fetch(self.port, "/metrics").count(b"\npush_time_seconds{")
