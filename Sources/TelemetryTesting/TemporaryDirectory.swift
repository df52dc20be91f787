// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A directory of a test's own, removed when the last reference to it goes.
package final class TemporaryDirectory: Sendable {
    /// The absolute path.
    package let path: String

    package init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("cozy-telemetry-test-\(UUID())").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
