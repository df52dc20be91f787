// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import TelemetryModel
import TelemetryTesting
import Testing

/// A backend with months of a simulated fleet, and what it answers over HTTP.
struct FigureFixture {
    let server: Server

    /// Runs a backend on a fleet that has reported for fourteen months.
    static func with(_ arguments: [String] = [], _ body: (Self) async throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        let loaded = try await RunningProgram.run([
            "simulate", "--into", directory.path, "--clusters", "40", "--months", "14", "--seed", "3",
        ])
        #expect(loaded.status == 0, "\(loaded.errors)")
        try await Server.with(arguments, directory: directory) { try await body(Self(server: $0)) }
    }

    /// Runs a command against the backend; it has to go well.
    func output(of arguments: [String]) async throws -> String {
        let ending = try await RunningProgram.run(arguments + ["--url", server.url])
        #expect(ending.status == 0, "\(arguments): \(ending.errors)")
        return ending.output
    }

    /// What the backend answers, as JSON.
    func answer(_ path: String, token: String? = nil) async throws -> NSDictionary {
        let month = UTCInstant.now().month
        let base = token == nil ? server.url : server.adminURL
        let separator = path.contains("?") ? "&" : "?"
        var request = HTTPClientRequest(url: "\(base)\(path)\(separator)year=\(month.year)&month=\(month.month)")
        if let token { request.headers = ["Authorization": "Bearer \(token)"] }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let body = try await response.body.collect(upTo: 1 << 24)
        #expect(response.status == .ok, "\(path): \(String(buffer: body))")
        return try Self.document(Data(buffer: body))
    }

    /// A JSON object.
    static func document(_ data: Data) throws -> NSDictionary {
        try #require(try JSONSerialization.jsonObject(with: data) as? NSDictionary)
    }
}
