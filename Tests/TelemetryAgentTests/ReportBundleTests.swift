// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import TelemetryModel
import Testing

@testable import TelemetryAgent

@Suite("Bundles", .timeLimit(.minutes(1)))
struct ReportBundleTests {
    private let now = UTCInstant(secondsSinceEpoch: 1_800_000_000)
    private let key: ClusterKey
    private let bundle: ReportBundle
    private let text: String

    init() throws {
        key = try #require(ClusterKey(seed: Array(0..<32)))
        let applications = Report([.init(Series(.applicationCount, ["Redis \"1\" \\ ü"]), 3)])
        bundle = try ReportBundle(
            [.tenants(2), applications].map { RequestBody($0.text) },
            signedBy: key,
            to: "https://reports.example",
            at: now
        )
        text = String(decoding: try bundle.file, as: UTF8.self)
    }

    private func read(_ text: String) throws -> ReportBundle { try ReportBundle(reading: Array(text.utf8)) }

    @Test("a bundle is read back as it was made, and people can read it")
    func roundTrip() throws {
        let read = try read(text)
        #expect(read.endpoint == "https://reports.example")
        #expect(read.requests.map(\.body) == bundle.requests.map(\.body))
        for (one, other) in zip(read.requests, bundle.requests) {
            #expect(one.endpoint == other.endpoint)
            #expect(Dictionary(uniqueKeysWithValues: one.headers) == Dictionary(uniqueKeysWithValues: other.headers))
        }
        try read.verify(at: now)
        for part in [#""body" : "cozy_tenants_count 2\n""#, #""X-Cluster-ID" : "\#(key.clusterID.text)""#] {
            #expect(text.contains(part))
        }
        #expect(text.contains(#""url" : "https://reports.example""#))
        #expect(!text.contains(Data(key.seed).base64EncodedString()))
    }

    @Test("the example in docs/delivery.md is a bundle, signed right")
    func documentation() throws {
        let file = URL(filePath: #filePath).appending(path: "../../../docs/delivery.md").standardized
        let page = try String(contentsOf: file, encoding: .utf8)
        let example = try #require(page.components(separatedBy: "```json\n").last?.components(separatedBy: "```").first)
        let bundle = try read(example)
        #expect(bundle.requests.count == 1)
        try bundle.verify(at: UTCInstant(secondsSinceEpoch: 1_772_323_200))
        #expect(String(decoding: try bundle.file, as: UTF8.self) == example)
    }

    @Test("it is good for thirty days, for what was signed, and for no other path")
    func verification() throws {
        try bundle.verify(at: now.advanced(bySeconds: 30 * 86_400))
        #expect(throws: BundleError.unproven(report: 1, .stale(.bundle))) {
            try bundle.verify(at: now.advanced(bySeconds: 30 * 86_400 + 1))
        }
        #expect(throws: BundleError.unproven(report: 1, .otherBody)) {
            try read(text.replacing("cozy_tenants_count 2", with: "cozy_tenants_count 3")).verify(at: now)
        }
        let other = try #require(ClusterID("6f1c9d2e-0000-4000-8000-000000000001"))
        #expect(throws: BundleError.unproven(report: 1, .otherKey)) {
            try read(text.replacing(key.clusterID.text, with: other.text)).verify(at: now)
        }
        try bundle.redirected(to: "http://127.0.0.1:8081/").verify(at: now)
        #expect(throws: BundleError.otherPath(signed: "/")) { try bundle.redirected(to: "https://reports.example/in") }
        let nested = try ReportBundle(
            [RequestBody(Report.tenants(2).text)],
            signedBy: key,
            to: "https://a.example/in?x=1",
            at: now
        )
        try nested.redirected(to: "https://b.example/in").verify(at: now)
        #expect(throws: BundleError.unproven(report: 1, .wrong)) {
            let file = String(decoding: try nested.file, as: UTF8.self)
            try read(file.replacing("a.example/in", with: "a.example/out")).verify(at: now)
        }
    }

    @Test(
        "what is no bundle is an error with its place",
        arguments: [
            ("", "1:1: an object must stand here"), ("[]", "1:1: an object must stand here"),
            ("format: x", "1:1: an object must stand here"),
            ("{", "2:1: it is not JSON: did not find expected node content"),
            (
                #"{"format": "cozy-telemetry bundle 2", "requests": [], "url": ""}"#,
                "1:1: \"format\" must be \"cozy-telemetry bundle 1\""
            ),
            (#"{"url": "https://a.example", "format": "cozy-telemetry bundle 1"}"#, "1:1: \"requests\" is missing"),
            (
                "{\"format\": \"cozy-telemetry bundle 1\",\n \"extra\": 1}",
                "2:2: there is no member of that name; there are format, requests, url"
            ),
            ("{\"url\": 1,\n\"url\": 2}", "1:2: a name stands twice"),
            (
                "{\"format\": \"cozy-telemetry bundle 1\",\n \"url\": \"https://a.example\", \"requests\": []}",
                "2:42: there is no report in it"
            ),
            (
                "{\"format\": \"cozy-telemetry bundle 1\",\n \"url\": \"ftp://a.example\", \"requests\": []}",
                "2:9: the telemetry endpoint must be an http or https URL without a user and a fragment"
            ),
        ]
    )
    func malformed(text: String, description: String) {
        let error = #expect(throws: BundleError.self) { try read(text) }
        #expect(error?.description == description)
    }

    @Test("other members, headers and kinds of values are not taken, nor headers with more than a line")
    func strictness() throws {
        let changes = [
            (#""body" :"#, #""text" :"#), (#""Signature" :"#, #""Authorization" :"#),
            (#""Content-Type" : "text/plain""#, #""Content-Type" : true"#),
            (#""Content-Type" : "text/plain""#, #""Content-Type" : "text/plain\r\nHost: x""#),
            (#""body" : "cozy"#, #""body" : ["cozy"#),
            ("https://reports.example", "https://user@reports.example"),
        ]
        for (part, replacement) in changes {
            #expect(text.contains(part))
            let error = #expect(throws: BundleError.self) { try read(text.replacing(part, with: replacement)) }
            guard case .malformed(let line, let column, _) = error else { continue }
            #expect(line > 1 && column > 1)
        }
    }

    @Test("a bundle is sent exactly as it is, every report of it, and what is answered is told")
    func sending() async throws {
        let replies = [TelemetryReceiver.Reply(status: 503), .init(status: 200)]
        try await TelemetryReceiver.with(.replies(replies)) { receiver async throws in
            let bundle = try read(text).redirected(to: receiver.url)
            let configuration = TelemetryAgent.httpClientConfiguration
            let answers = try await HTTPClient.withHTTPClient(configuration: configuration) { http in
                try await bundle.send(over: http)
            }
            #expect(answers.map(\.answer) == [.retry(after: nil, reason: .refused(status: 503)), .accepted])
            var requests = receiver.requests.makeAsyncIterator()
            for expected in self.bundle.requests {
                let request = await requests.next()
                #expect(request?.line == "POST /")
                #expect(request?.bytes == expected.body)
                for (name, value) in expected.headers { #expect(request?.headers[name] == value) }
            }
        }
    }
}
