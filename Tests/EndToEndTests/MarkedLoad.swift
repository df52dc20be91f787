// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import TelemetryModel
import TelemetryTesting
import Testing

/// Reports that are sent to one server after another, and which of them were answered.
struct MarkedLoad {
    /// The seed of the reports.
    let seed: UInt64
    /// Everything that was ever sent, by its number.
    private(set) var sent: [Int: MarkedReports.Marked] = [:]
    /// The numbers of what was answered 200.
    private(set) var answered: Set<Int> = []
    private var reports: MarkedReports
    private let client: HTTPClient

    /// A load that has sent nothing yet.
    init(client: HTTPClient, seed: UInt64) {
        (self.client, self.seed) = (client, seed)
        reports = MarkedReports(seed: seed)
    }

    /// Sends so many reports at a time until one is not answered; at so many answers, calls for the end.
    mutating func run(
        _ width: Int,
        against url: String,
        until count: Int,
        end: @escaping @Sendable () async -> Void
    ) async {
        let client = client
        await withTaskGroup(of: (number: Int?, isAnswered: Bool).self) { group in
            func send() {
                guard let marked = reports.next() else { return }
                sent[marked.number] = marked
                group.addTask { (marked.number, await Self.post(marked, to: url, client)) }
            }
            for _ in 0..<width { send() }
            var (answers, goesOn) = (0, true)
            for await case (let number?, let isAnswered) in group {
                goesOn = goesOn && isAnswered
                if isAnswered {
                    answered.insert(number)
                    answers += 1
                    if answers == count {
                        group.addTask {
                            await end()
                            return (nil, true)
                        }
                    }
                }
                if goesOn { send() }
            }
        }
    }

    /// Whether a report was answered 200; no other answer is right.
    private static func post(_ marked: MarkedReports.Marked, to url: String, _ client: HTTPClient) async -> Bool {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = ["X-Cluster-ID": marked.cluster.text]
        request.body = .bytes(ByteBuffer(bytes: marked.report.text))
        guard let answer = try? await client.execute(request, timeout: .seconds(30)) else { return false }
        #expect(answer.status == .ok)
        return answer.status == .ok
    }
}
