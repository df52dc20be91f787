// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import TelemetryModel
import TelemetryServer

/// `cozy-telemetry overview`: the public figures of a backend, as a table or as JSON.
struct OverviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overview",
        abstract: "Print the public figures of a month, its quarter and its year."
    )

    @Option(help: ArgumentHelp("The backend.", valueName: "url"))
    var url = "http://127.0.0.1:8081"

    @Option(help: ArgumentHelp("The year, 2024 to 2100; the current one unless given.", valueName: "yyyy"))
    var year: Int?

    @Option(help: ArgumentHelp("The month, 1 to 12; the current one unless given.", valueName: "mm"))
    var month: Int?

    @Flag(help: "Print the answer as JSON.")
    var json = false

    func validate() throws {
        guard (2024...2100).contains(year ?? 2024) else { throw ValidationError("--year must be from 2024 to 2100") }
        guard (1...12).contains(month ?? 1) else { throw ValidationError("--month must be from 1 to 12") }
        guard url.hasPrefix("http://") || url.hasPrefix("https://"), !url.contains("@") else {
            throw ValidationError("--url must be an http or https URL, such as http://127.0.0.1:8081")
        }
    }

    func run() async throws {
        let current = UTCInstant.now().month
        let overview = try await Self.fetch(url, year: year ?? current.year, month: month ?? current.month)
        if json { try Terminal.writeJSON(overview) } else { Terminal.write(line: OverviewTable(overview).text) }
    }

    /// Asks a backend.
    ///
    /// - Throws: `CommandFailure` with the backend's own words where it refuses.
    static func fetch(_ url: String, year: Int, month: Int) async throws -> Overview {
        let base = url.hasSuffix("/") ? String(url.dropLast()) : url
        let request = HTTPClientRequest(url: "\(base)/api/overview?year=\(year)&month=\(month)")
        let bytes = Data(try await answer(to: request, from: base).readableBytesView)
        guard let overview = try? JSONDecoder().decode(Overview.self, from: bytes) else {
            throw CommandFailure.unavailable("\(base) answered with something that is not an overview")
        }
        return overview
    }

    /// The body of a good answer.
    ///
    /// - Throws: `CommandFailure` with the backend's own words where it refuses.
    static func answer(
        to request: HTTPClientRequest,
        from base: String,
        _ configuration: HTTPClient.Configuration = .init()
    ) async throws -> ByteBuffer {
        let (status, body): (Int, ByteBuffer)
        // A refused connection is an answer, not a reason to try for half a minute.
        var configuration = configuration
        configuration.connectionPool.retryConnectionEstablishment = false
        do {
            (status, body) = try await HTTPClient.withHTTPClient(configuration: configuration) { client in
                let response = try await client.execute(request, timeout: .seconds(30))
                return (Int(response.status.code), try await response.body.collect(upTo: 16 * 1024 * 1024))
            }
        } catch {
            throw CommandFailure.unavailable("no answer from \(base): \(Self.reason(of: error))")
        }
        if status != 200 {
            let bytes = Data(body.readableBytesView)
            let reason = (try? JSONDecoder().decode([String: String].self, from: bytes))?["error"]
            throw CommandFailure.unavailable("\(base) answered \(status)\(reason.map { ": \($0)" } ?? "")")
        }
        return body
    }

    private static func reason(of error: any Error) -> String {
        switch error {
        case let error as HTTPClientError: error.shortDescription
        case is NIOConnectionError: "nobody listens there"
        case let error as IOError: String(cString: strerror(error.errnoCode))
        default: "\(error)"
        }
    }
}
