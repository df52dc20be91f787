// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOHTTP1
import TelemetryModel
import Testing
import Yams

@Suite("/openapi.yaml")
struct DocumentRouteTests {
    @Test("Both listeners have the same document")
    func servedByBoth() async throws {
        try await RunningTestBackend.with { backend in
            let answer = try await backend.get("/openapi.yaml")
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == ["application/yaml"])
            let other = try await backend.answer(to: HTTPClientRequest(url: backend.adminURL + "/openapi.yaml"))
            #expect(answer.body == other.body)
        }
    }

    @Test("The document has the dimensions that there are, and says of each operation which listener has it")
    func complete() async throws {
        try await RunningTestBackend.with { backend in
            let document = try Document(yaml: await backend.get("/openapi.yaml").body)
            #expect(document.dimensions == Dimension.allCases.map(\.rawValue))
            #expect(!document.tags.isEmpty)
            for (operation, tags) in document.tags {
                #expect(tags == ["public"] || tags == ["private"] || tags == ["both"], "\(operation)")
            }
        }
    }

    /// What is looked at of the document.
    private struct Document {
        let dimensions: [String]
        /// By method and path.
        let tags: [String: [String]]

        init(yaml: String) throws {
            let root = try #require(try Yams.compose(yaml: yaml))
            dimensions = try #require(root["components"]?["schemas"]?["Dimension"]?["enum"]?.sequence).compactMap(
                \.string
            )
            var tags: [String: [String]] = [:]
            for (path, methods) in try #require(root["paths"]?.mapping) {
                for (method, operation) in try #require(methods.mapping) {
                    tags["\(method.string ?? "?") \(path.string ?? "?")"] =
                        operation["tags"]?.sequence?.compactMap(\.string)
                        ?? []
                }
            }
            self.tags = tags
        }
    }
}
