// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging

/// The number of files that the process may have open.
enum OpenFiles {
    /// What the process needs beside connections: the store, its log, the listeners, what is read at start.
    private static let others: rlim_t = 128

    /// Raises the limit, as far as the process may, so that there is one for each of so many connections; says so in the
    /// log where that is not enough.
    static func makeRoom(forConnections count: Int, logger: Logger) {
        var limits = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 else { return }
        let wanted = rlim_t(count) + others
        guard limits.rlim_cur < wanted else { return }
        limits.rlim_cur = min(wanted, limits.rlim_max)
        let isRaised = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0
        guard !isRaised || limits.rlim_cur < wanted else { return }
        logger.warning(
            "there may be fewer open files than max-connections asks for; raise the limit, or lower max-connections",
            metadata: ["limit": "\(limits.rlim_cur)", "wanted": "\(wanted)"]
        )
    }
}
