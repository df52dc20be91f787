// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ReportStore
import TelemetryModel
import TelemetryServer

/// `cozy-telemetry store backup`: a copy of a store.
struct StoreBackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Write a copy of the store, also while the backend runs.",
        discussion: """
            The copy is what the store holds at one moment, one compact file that only its owner can read. It is written \
            as FILE.part, synced and renamed. The pseudonym key is not in it: keep a copy of that elsewhere, as without \
            it no store of yours can be used.
            """
    )

    @Argument(help: ArgumentHelp("Where the copy goes.", valueName: "file"), completion: .file())
    var file: String

    @Flag(help: "Replace FILE where it exists.")
    var force = false

    @OptionGroup var options: StoreOptions

    func run() async throws {
        try await options.withStore { store in
            let backup = try await store.backUp(to: file, replacing: force, progress: StoreOptions.say)
            Terminal.endProgress()
            let seconds = (backup.duration / .seconds(1) * 10).rounded() / 10
            Terminal.write(line: "\(file): \(backup.bytes) bytes in \(seconds) seconds")
            Terminal.say("The pseudonym key is not in it: it is \(store.keyPath), back that up once, elsewhere.")
        }
    }
}

/// `cozy-telemetry store restore`: a copy in the place of a store.
struct StoreRestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put a backup in the place of the store; the backend has to be stopped.",
        discussion: """
            FILE is checked first. The store that is there is moved aside, under a name with the time, and never deleted. \
            FILE stays where it is.
            """
    )

    @Argument(help: ArgumentHelp("The backup.", valueName: "file"), completion: .file())
    var file: String

    @OptionGroup var options: StoreOptions

    func run() async throws {
        try await options.withStore { store in
            let done = try await store.restore(from: file, at: .now(), progress: StoreOptions.say)
            Terminal.endProgress()
            Terminal.write(line: "\(store.storePath) is now the store of \(file), \(done.bytes) bytes")
            if let old = done.setAside { Terminal.write(line: "the store that was there is now \(old)") }
            if done.isKeyMissing {
                Terminal.say("\(store.keyPath) is missing: put it there before you start the backend.")
            }
        }
    }
}
