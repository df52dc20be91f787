// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import Gzip
import NIOCore
import NIOHTTP1
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryServer

@Suite("The public page")
struct PageRouteTests {
    private func get(_ backend: RunningTestBackend, _ path: String, _ headers: HTTPHeaders) async throws
        -> HTTPClientResponse
    {
        var request = HTTPClientRequest(url: backend.url + path)
        request.headers = headers
        return try await backend.client.execute(request, timeout: .seconds(30))
    }

    @Test("it shows the latest month that is over, another one and longer windows where they are asked for")
    func windows() async throws {
        try await RunningTestBackend.with { backend async throws in
            let first = CalendarMonth(year: 2025, month: 10)
            let reference = try await backend.submit(clusters: 12, from: first, months: 4, seed: 7)
            func number(_ query: String, _ title: String) async throws -> String? {
                let answer = try await backend.get("/" + query)
                #expect(answer.status == 200)
                #expect(answer.body.contains("<h1 id=\"title\">\(title)"))
                let after = answer.body.firstRange(of: "<figure class=\"chart card\" id=\"nodes\"")
                    .map { answer.body[$0.upperBound...] }
                let value = after?.firstRange(of: "<p class=\"number\">").flatMap { range in
                    after?[range.upperBound...].prefix { $0 != "<" }
                }
                return value.map(String.init)
            }
            func nodes(_ length: Window.Length, _ end: CalendarMonth) -> String {
                PageNumbers.whole(reference.totals(of: Window(length, endingWith: end)).all[.nodes] ?? 0)
            }
            let last = first + 3
            #expect(try await number("", "January 2026") == nodes(.month, last))
            #expect(try await number("?month=2025-11", "November 2025") == nodes(.month, first + 1))
            #expect(try await number("?window=quarter", "November 2025 — January 2026") == nodes(.quarter, last))
            #expect(
                try await number("?month=2026-01&window=year", "February 2025 — January 2026") == nodes(.year, last)
            )
            // A year that began before there was anything is nothing to compare with.
            #expect(try await backend.get("/?window=year").body.contains("nothing to compare with"))
            #expect(try await !backend.get("/").body.contains("nothing to compare with"))
            #expect(try await number("?month=2026-02", "February 2026 <span class=\"badge\">so far") == "0")
        }
    }

    @Test("with reports of this month alone it shows this month; of nobody it says so")
    func beginning() async throws {
        try await RunningTestBackend.with { backend async throws in
            let empty = try await backend.get("/")
            #expect(empty.status == 200)
            #expect(empty.body.contains("March 2026") && empty.body.contains("No application was reported"))
            #expect(try await backend.post("cozy_nodes_count{os=\"linux (Talos)\",kernel=\"6.1\"} 3\n").status == 200)
            // The page is made anew when it is a minute old.
            #expect(try await backend.get("/").body == empty.body)
            backend.clock.now = backend.clock.now.advanced(bySeconds: 60)
            #expect(try await backend.get("/").body.contains("<p class=\"number\">1</p>"))
        }
    }

    @Test("what browsers are told lets nothing run or load but what we ship; the files of the page are kept for good")
    func headers() async throws {
        try await RunningTestBackend.with { backend async throws in
            let page = try await get(backend, "/", [:])
            let policy = page.headers.first(name: "Content-Security-Policy") ?? ""
            #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self';"))
            #expect(!policy.contains("unsafe"))
            #expect(page.headers.first(name: "X-Content-Type-Options") == "nosniff")
            #expect(page.headers["Content-Type"] == ["text/html; charset=utf-8"])
            let body = String(buffer: try await page.body.collect(upTo: 1 << 20))
            let assets = body.matches(of: /"(\/assets\/[^"]+)"/).map { String($0.1) }
            #expect(Set(assets).count == 4)
            for asset in Set(assets) {
                let file = try await get(backend, asset, [:])
                #expect(file.status == .ok)
                #expect(file.headers.first(name: "Cache-Control") == "public, max-age=31536000, immutable")
            }
            #expect(!body.contains(" style=") && !body.contains("<style") && !body.contains("onclick"))
            #expect(try await backend.get("/assets/none.js").status == 404)
            #expect(try await backend.get("/", method: .HEAD).body.isEmpty)
        }
    }

    @Test("it is packed for whoever takes gzip, and not sent again to whoever has it")
    func caching() async throws {
        try await RunningTestBackend.with { backend async throws in
            let plain = try await get(backend, "/", [:])
            let text = try await plain.body.collect(upTo: 1 << 20)
            for accepted in ["gzip", "br, gzip;q=0.5", "*"] {
                let packed = try await get(backend, "/", ["Accept-Encoding": accepted])
                #expect(packed.headers["Content-Encoding"] == ["gzip"])
                #expect(packed.headers["Vary"] == ["Accept-Encoding"])
                let bytes = Array(try await packed.body.collect(upTo: 1 << 20).readableBytesView)
                #expect(try GzipDecoder.decode(bytes, limit: 1 << 20) == Array(text.readableBytesView))
            }
            for refused in ["gzip;q=0", "gzip;q=0, *", "identity", "br"] {
                #expect(try await get(backend, "/", ["Accept-Encoding": refused]).headers["Content-Encoding"] == [])
            }
            let tag = try #require(plain.headers.first(name: "ETag"))
            #expect(try await get(backend, "/", ["If-None-Match": tag]).status == .notModified)
            #expect(try await get(backend, "/", ["If-None-Match": "\"a\", W/\(tag)"]).status == .notModified)
            // What was packed is not what is asked for now.
            let packed = try await get(backend, "/", ["Accept-Encoding": "gzip"]).headers.first(name: "ETag") ?? ""
            for other in ["\"other\"", "\"x\(tag)\"", packed] {
                #expect(try await get(backend, "/", ["If-None-Match": other]).status == .ok)
            }
        }
    }

    @Test(
        "what cannot be shown is a page that says why",
        arguments: [
            "month=2026-04", "month=2026-3", "month=x", "month=2026-03&month=2026-02", "window=week", "month=2023-12",
        ]
    )
    func refuses(query: String) async throws {
        try await RunningTestBackend.with { backend async throws in
            let answer = try await backend.get("/?" + query)
            #expect(answer.status == 400)
            #expect(answer.headers.first(name: "Content-Type") == "text/html; charset=utf-8")
            #expect(answer.body.contains("<h1>Bad Request</h1>") && answer.body.contains("To the latest figures"))
        }
    }

    @Test("a store that cannot answer is 503 with Retry-After, as a page, and not zeros")
    func unavailable() async throws {
        try await RunningTestBackend.with { backend async throws in
            try await backend.closeStore()
            let answer = try await backend.get("/")
            #expect(answer.status == 503)
            #expect(answer.headers.first(name: "Retry-After") != nil)
            #expect(answer.headers.first(name: "Cache-Control") == "no-store")
        }
    }

    @Test("breakdowns that are not made yet are said to be so, and the rest is shown")
    func withoutEdition() async throws {
        try await RunningTestBackend.with { backend async throws in
            let block = backend.directory.path + "/published-breakdowns.json.new"
            try FileManager.default.createDirectory(atPath: block, withIntermediateDirectories: false)
            backend.clock.now = backend.clock.now.advanced(bySeconds: 31 * 86_400)
            let answer = try await backend.get("/")
            #expect(answer.status == 200)
            #expect(answer.body.contains("made once a day, and are not made yet"))
        }
    }

    @Test("a backend that only sends on has no page and says so")
    func forwardOnly() async throws {
        try await RunningTestBackend.with(adjust: { $0.isForwardOnly = true }) { backend async throws in
            let answer = try await backend.get("/")
            #expect(answer.status == 404)
            #expect(answer.body.contains("--mode forward-only"))
            #expect(try await backend.post("cozy_tenants_count 2\n").status == 200)
        }
    }

    @Test("what clusters wrote is text on the page, and named where k clusters have it")
    func escapes() {
        let name = "<script>alert(1)</script>"
        let window = Window(.month, endingWith: CalendarMonth(year: 2026, month: 3))
        let totals = WindowTotals(
            window: window,
            all: [.clusters: 5, .application(kind: name): 9, .clustersWithApplication(kind: name): 5],
            established: [:]
        )
        let breakdown = PublicBreakdown([name: .init(clusters: 5, clustersAtEnd: 5)], threshold: 5)
        let figures = PageFigures(
            window: window,
            now: UTCInstant(startOf: window.end.firstDay),
            threshold: 5,
            curve: [totals],
            before: nil,
            months: [window.end],
            breakdowns: .init(
                day: window.end.firstDay,
                values: Dictionary(uniqueKeysWithValues: PageFigures.lists.map { ($0, breakdown) }),
                months: Dictionary(uniqueKeysWithValues: PageFigures.versions.map { ($0, [(window.end, breakdown)]) })
            )
        )
        let page = PageTemplates.builtIn.page(PageContent(figures))
        #expect(page.count(of: "&lt;script&gt;alert(1)&lt;/script&gt;") >= 14)
        #expect(!page.contains("<script>"))
    }

    @Test("the examples are the payloads of the fixtures, and the commands those of the documentation")
    func sources() throws {
        let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(4).joined(separator: "/").dropFirst()
        func text(_ path: String) throws -> String { try String(contentsOfFile: root + "/" + path, encoding: .utf8) }
        let examples = PageExamples()
        #expect(try examples.v0 == text("Tests/Fixtures/payload-v0.22.prom"))
        #expect(try examples.operator == text("Tests/Fixtures/payload-v1-operator.prom"))
        #expect(try examples.controller == text("Tests/Fixtures/payload-v1-controller.prom"))
        let documented = try text("docs/opting-out.md")
        for command in OptOutCommand.all {
            #expect(documented.contains("```sh\n\(command.text)\n```"), "\(command.id)")
        }
    }
}

extension String {
    /// How often another text is in it.
    fileprivate func count(of text: String) -> Int { ranges(of: text).count }
}
