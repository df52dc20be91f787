// SPDX-License-Identifier: Apache-2.0

import Kubernetes
import Testing

@testable import TelemetryAgent

@Suite("The time until the API server is asked again")
struct WatchPauseTests {
    private func busy(_ retryAfter: Duration?) -> KubernetesError {
        .tooManyRequests(path: "/", retryAfter: retryAfter)
    }

    @Test("doubles with every failure in a row, up to 30 s")
    func failures() {
        var pause = WatchPause()
        let pauses = (0..<8).map { _ in pause.afterFailure(KubernetesError.notFound(path: "/")) }
        #expect(pauses == [1, 2, 4, 8, 16, 30, 30, 30].map { .seconds($0) })
    }

    @Test("is what a busy server asks for, where that is longer, up to a minute")
    func retryAfter() {
        var pause = WatchPause()
        #expect(pause.afterFailure(busy(.seconds(7))) == .seconds(7))
        #expect(pause.afterFailure(busy(nil)) == .seconds(2))
        #expect(pause.afterFailure(busy(.seconds(1))) == .seconds(4))
        #expect(pause.afterFailure(busy(.seconds(3_600))) == .seconds(60))
    }

    @Test("is short after a watch that ended as watches do, and grows where each one ends at once")
    func ends() {
        var pause = WatchPause()
        let pauses = (0..<4).map { _ in
            pause.note(.milliseconds(5))
            return pause.afterEnd()
        }
        #expect(pauses == [.milliseconds(100), .seconds(2), .seconds(4), .seconds(8)])
        pause.note(.seconds(300))
        #expect(pause.afterEnd() == .milliseconds(100))
        pause.note(.seconds(10))
        #expect(pause.afterFailure(nil) == .seconds(1))
    }
}
