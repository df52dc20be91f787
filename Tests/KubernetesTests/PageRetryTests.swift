// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kubernetes

@Suite("When a page is asked for again")
struct PageRetryTests {
    private static let lost = KubernetesError.unreachable(server: "s", reason: "r")
    private static func busy(_ wait: Int?) -> KubernetesError {
        .tooManyRequests(path: "/", retryAfter: wait.map { .seconds($0) })
    }

    @Test(
        "after an error of each kind",
        arguments: [
            ([busy(7), busy(1)], [.seconds(7), .seconds(1)]),
            ([busy(0), busy(-1)], [.milliseconds(500), .milliseconds(500)]),
            ([busy(59), busy(60), busy(3_600)], [.seconds(59), nil, nil]),
            ([busy(nil), lost], [.milliseconds(500), .seconds(1)]),
            (
                Array(repeating: lost, count: 6),
                [.milliseconds(500), .seconds(1), .seconds(2), .seconds(4), .seconds(8), nil]
            ),
            ([.status(code: 503, reason: "", path: "/")], [.milliseconds(500)]),
            ([.status(code: 400, reason: "", path: "/")], [nil]), ([.deadlineExceeded(path: "/")], [nil]),
            ([.forbidden(path: "/")], [nil]), ([.notFound(path: "/")], [nil]),
            // A server that has just started.
            ([lost, .forbidden(path: "/"), .notFound(path: "/")], [.milliseconds(500), .seconds(1), .seconds(2)]),
            ([.invalidResponse(path: "/", reason: "")], [nil]),
        ] as [([KubernetesError], [Duration?])]
    )
    func delays(errors: [KubernetesError], expected: [Duration?]) {
        var retry = PageRetry()
        #expect(errors.map { retry.delay(after: $0, remaining: .seconds(60)) } == expected)
    }

    @Test("a cancellation is final")
    func cancellation() {
        var retry = PageRetry()
        #expect(retry.delay(after: CancellationError(), remaining: .seconds(60)) == nil)
    }
}
