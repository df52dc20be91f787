// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging

/// The number of files that the process may have open.
enum OpenFiles {
    /// What the process needs beside connections: the store, its log, the listeners, what is read at start.
    private static let others = 256

    /// Raises the limit, as far as the process may, so that there is one for each of so many connections; says so in the
    /// log where that is not enough.
    ///
    /// - Parameters:
    ///   - count: How many connections there may be.
    ///   - logger: Where it is said.
    /// - Returns: How many there can be.
    static func makeRoom(forConnections count: Int, logger: Logger) -> Int {
        var limits = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 else { return count }
        let wanted = rlim_t(count + others)
        guard limits.rlim_cur < wanted else { return count }
        var raised = limits
        raised.rlim_cur = min(wanted, limits.rlim_max)
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limits = raised }
        guard limits.rlim_cur < wanted else { return count }
        let possible = max(1, Int(limits.rlim_cur) - others)
        logger.warning(
            "there are fewer open files than max-connections needs, and so fewer connections; raise the limit",
            metadata: ["limit": "\(limits.rlim_cur)", "wanted": "\(wanted)", "connections": "\(possible)"]
        )
        return possible
    }
}
