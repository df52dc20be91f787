// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kubernetes

extension ControlPlane {
    /// Kills the API server, which is then started anew on the same etcd; `waitUntilReady()` waits for that.
    package func restartServer() async throws {
        try input.fileHandleForWriting.write(contentsOf: Data("restart\n".utf8))
        let client = try client(limits: .init(connect: .milliseconds(200), call: .seconds(1)))
        // Nothing tells that a process is gone but that it no longer answers.
        while (try? await client.version()) != nil {}
        try await client.shutdown()
    }

    /// Lets etcd forget what was before now, as it does by itself after five minutes.
    package func compact() async throws {
        let answer = try await shell("curl -sSf -d '{\"key\":\"AA==\"}' \(etcd)/v3/kv/range")
        guard let match = answer.firstMatch(of: /"revision":"(\d+)"/) else {
            throw ControlPlaneError.failed(command: "range", output: answer)
        }
        try await shell("curl -sSf -d '{\"revision\":\"\(match.1)\",\"physical\":true}' \(etcd)/v3/kv/compaction")
    }

    /// Makes the server look for an API in a service that does not exist, and waits until it answers 503 there.
    package func addUnavailableAPI(group: String, version: String) async throws {
        try await apply(
            """
            apiVersion: apiregistration.k8s.io/v1
            kind: APIService
            metadata: {name: \(version).\(group)}
            spec:
              {group: \(group), version: \(version), groupPriorityMinimum: 100, versionPriority: 100,
              insecureSkipTLSVerify: true, service: {name: absent, namespace: default}}
            """
        )
        while true {
            do {
                try await kubectl("get", "--raw=/apis/\(group)/\(version)")
            } catch ControlPlaneError.failed(_, let output) where output.contains("currently unable to handle") {
                return
            } catch is ControlPlaneError {
                // Not found yet; nothing tells when the server knows of it.
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
