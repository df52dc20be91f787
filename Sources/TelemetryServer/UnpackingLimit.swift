// SPDX-License-Identifier: Apache-2.0

import Gzip
import HTTPTypes

/// How much may come out of a packed body.
struct UnpackingLimit {
    /// So much may come out of a body however small it is, in bytes: equal lines pack well.
    static let alwaysTaken = 64 * 1024

    private let bytes: Int
    private let ratio: Int

    /// The limits that were set.
    init(_ settings: BackendSettings) {
        bytes = settings.largestUnpackedBody
        ratio = settings.largestUnpackingRatio
    }

    /// The most bytes that may come out of so many.
    func limit(packed count: Int) -> Int {
        let (product, isOver) = count.multipliedReportingOverflow(by: ratio)
        return min(bytes, max(Self.alwaysTaken, isOver ? .max : product))
    }

    /// What a body of so many bytes is answered that could not be unpacked.
    func refusal(_ failure: GzipDecoder.Failure, packed count: Int) -> Refusal {
        switch failure {
        case .malformed: return .badRequest("the body is not whole gzip")
        case .tooLarge:
            let limit = limit(packed: count)
            let reason = limit == bytes ? "\(limit) bytes" : "\(limit) bytes, and it may to \(ratio) times its size"
            return Refusal(status: .contentTooLarge, message: "the body unpacks to over \(reason)")
        }
    }
}
