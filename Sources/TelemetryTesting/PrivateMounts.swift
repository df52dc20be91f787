// SPDX-License-Identifier: Apache-2.0

import Foundation

/// File systems that one process sees and nobody else, gone when it ends.
///
/// It takes Linux, and to be root or to be allowed a user namespace.
package enum PrivateMounts {
    /// A command that runs what follows it on an empty file system in memory, in place of a directory.
    ///
    /// - Parameters:
    ///   - directory: The directory.
    ///   - size: How much fits, in bytes.
    ///   - source: A directory whose files are copied into it first.
    ///   - isReadOnly: Whether it can only be read then.
    /// - Returns: The beginning of a command line.
    package static func command(
        inPlaceOf directory: String,
        size: Int,
        copying source: String? = nil,
        isReadOnly: Bool = false
    ) -> [String] {
        let script = """
            set -e
            directory=$1; source=$2; shift 2
            mount -t tmpfs -o size=\(size) tmpfs "$directory"
            [ -z "$source" ] || cp -a "$source/." "$directory"
            \(isReadOnly ? #"mount -o remount,bind,ro "$directory""# : "")
            exec "$@"
            """
        return unshare + ["sh", "-c", script, "sh", directory, source ?? ""]
    }

    /// A path as a process with such a command sees it.
    package static func path(_ path: String, seenBy process: Int32) -> String { "/proc/\(process)/root" + path }

    /// Whether there can be such file systems here.
    package static func areAvailable() async -> Bool {
        do {
            let directory = try TemporaryDirectory()
            let command = command(inPlaceOf: directory.path, size: 1 << 16) + ["true"]
            return try await RunningProgram(command: command).ending().status == 0
        } catch {
            return false
        }
    }

    /// Why a test does not run without them.
    package static let whyNot = "SKIPPED: it takes `unshare --mount`, as root or with user namespaces"

    /// The command that gives a process its own mounts.
    private static var unshare: [String] {
        let asRoot = getuid() == 0 ? [] : ["--user", "--map-root-user"]
        return ["unshare"] + asRoot + ["--mount", "--propagation", "private"]
    }
}
