// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryTesting
import Testing

@Suite("The charts", .enabled(if: Chart.isAvailable, Chart.requirements))
struct ChartTests {
    @Test(
        "values that mean nothing, or could not run, are refused, and it is said why",
        arguments: [
            (Chart.agent, "settings.telemetry-endpoint=telemetry.example", "telemetry-endpoint"),
            (.agent, "settings.telemetry-interval=soon", "telemetry-interval"),
            (.agent, "settings.identity=name", "settings.identity"),
            (.agent, "settings.kubeconfig=file", "kubeconfig is not allowed"),
            (.agent, "replicas=two", "replicas"),
            (.agent, "metrics.port=80", "metrics.port"),
            (.agent, "replica=2", "replica is not allowed"),
            (.agent, "image.digest=latest", "image.digest"),
            (.server, "settings.mode=half", "settings.mode"),
            (.server, "settings.k=many", "settings.k"),
            (.server, "settings.data-dir=/data", "data-dir is not allowed"),
            (.server, "settings.retention=1d", "settings.retention"),
            (.server, "settings.forward-url=http://user:password@vmauth:8427/", "settings.forward-url"),
            (.server, "replicas=2", "the embedded store is for one"),
            (.server, "replicas=2,settings.vmselect-url=http://vmselect:8481/", "have to share a key"),
            (.server, "settings.mode=forward-only", "settings.forward-url: mode forward-only"),
            (.server, "serviceMonitor.enabled=true", "admin.expose: it has to be true"),
            (.server, "admin.clientAuthoritiesSecret=clients", "admin.tlsSecret: it is needed"),
            (.server, "ingress.enabled=true", "ingress.hosts: name at least one"),
            (.server, "ingress.enabled=true,ingress.hosts={telemetry.example}", "settings.trusted-proxies: name"),
            (.server, "settings.mode=forward-only,settingsSecret=urls", "networkPolicy.extraEgress: open the port"),
            (.agent, #"podLabels.app\.kubernetes\.io/name=mine"#, "app.kubernetes.io/name"),
            (.server, #"podLabels.app\.kubernetes\.io/instance=mine"#, "app.kubernetes.io/instance"),
        ]
    )
    func refused(_ chart: Chart, _ value: String, _ reason: String) async throws {
        let rendered = try await chart.render(["--set", value])
        #expect(rendered.status != 0)
        #expect(rendered.errors.contains(reason), "\(rendered.errors)")
    }

    @Test(
        "a name that looks like a number is a text in every place",
        arguments: [
            (
                Chart.agent,
                [
                    "priorityClassName", "serviceAccount.name", "certificateAuthorities.secret",
                    "clientCertificate.secret", "spool.existingClaim",
                ],
                "spool.enabled=true"
            ),
            (.agent, ["certificateAuthorities.configMap"], "spool.enabled=true"),
            (
                .server,
                [
                    "settingsSecret", "pseudonymKey.secret", "tls.secret", "admin.tlsSecret",
                    "admin.clientAuthoritiesSecret", "oidc.certificateAuthoritiesConfigMap",
                    "persistence.storageClass", "ingress.className", "ingress.tlsSecret", "priorityClassName",
                ],
                "ingress.enabled=true,ingress.hosts={telemetry.example}"
            ),
        ]
    )
    func names(_ chart: Chart, _ values: [String], _ others: String) async throws {
        let named = values.map { "\($0)=1e3" }.joined(separator: ",")
        let rendered = try await chart.render(["--set", others, "--set-string", named])
        #expect(rendered.status == 0, "\(rendered.errors)")
        #expect(rendered.output.matches(of: /: "1e3"/).count >= values.count)
        #expect(!rendered.output.contains(/[:,] 1e3/))
    }

    @Test(
        "every option of the program is a setting, or what the chart sets by itself",
        arguments: [
            (
                Chart.agent, "agent",
                [
                    "kubeconfig", "context", "namespace", "spool-dir", "ca-file", "client-cert", "client-key",
                    "metrics-addr", "once",
                ]
            ),
            (
                .server, "server",
                [
                    "listen-addr", "admin-addr", "data-dir", "pseudonym-key-file", "tls-cert", "tls-key",
                    "admin-tls-cert", "admin-tls-key", "admin-client-ca", "oidc-ca-file", "config", "log-level",
                ]
            ),
        ]
    )
    func options(_ chart: Chart, _ command: String, _ own: [String]) async throws {
        let help = try await RunningProgram.run([command, "--help"]).output
        let options = Set(help.matches(of: /(?m)^  (?:-h, )?--([a-z-]+)/).map { String($0.1) })
        #expect(try chart.settings().union(own) == options.subtracting(["help", "version"]))
        #expect(try chart.settings().isDisjoint(with: own))
    }

    @Test("the agent's chart grants exactly what deploy/agent-rbac.yaml grants")
    func permissions() async throws {
        let manifest = try String(contentsOf: Chart.root.appending(path: "deploy/agent-rbac.yaml"), encoding: .utf8)
        func granting(_ objects: [ChartObject]) -> Set<ChartObject> {
            Set(objects.filter { $0.kind.contains("Role") })
        }
        let expected = granting(try ChartObject.all(manifest))
        #expect(expected.count == 6)
        #expect(granting(try await Chart.agent.objects()) == expected)
        #expect(granting(try await Chart.agent.objects(["-f", Chart.agent.values("everything")])).count == 6)
        #expect(granting(try await Chart.agent.objects(["--set", "rbac.create=false"])).isEmpty)
    }

    private struct Settings: Decodable {
        let data: [String: String]
    }

    @Test("the backend takes the settings file that its chart makes, with every setting in it")
    func settings() async throws {
        let objects = try await Chart.server.objects([
            "-f", Chart.server.values("everything"),
            // Files that are not here, and what takes VictoriaMetrics to answer.
            "--set", "pseudonymKey.secret=,tls.secret=,admin.tlsSecret=,admin.clientAuthoritiesSecret=",
            "--set", "oidc.certificateAuthoritiesConfigMap=,replicas=1",
        ])
        let map = try #require(objects.first { $0.kind == "ConfigMap" }).decoded(Settings.self)
        let text = try #require(map.data["settings.yaml"])
        for name in try Chart.server.settings() { #expect(text.contains("\n\(name): "), "\(name)") }
        let directory = try TemporaryDirectory()
        let file = directory.path + "/settings.yaml"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        try await Server.with(["--config", file]) { server in
            // One that was in the file: no report without a signature.
            let answer = try await server.post(cluster: "one")
            #expect(answer.status == 401)
        }
        try (text + "a-setting: 1\n").write(toFile: file, atomically: true, encoding: .utf8)
        let wrong = try await RunningProgram.run(["server", "--config", file])
        #expect(wrong.status == 64 && wrong.errors.contains("there is no setting a-setting"))
    }
}
