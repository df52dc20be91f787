// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ReportStore

/// `cozy-telemetry store rotate-key`: another pseudonym key.
struct StoreRotateKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-key",
        abstract: "Go on under a new pseudonym key; the backend has to be stopped.",
        discussion: """
            Nobody can tell any more which cluster the rows so far are about, whoever knows its id, and neither can the \
            backend: no cluster is recognised. So each counts anew from its next report on. Windows that the rotation is \
            in count a cluster twice, nodes and applications too: the month, two more quarters and eleven more years \
            that end later. It is established again on its second day. Windows before do not change, and each cluster's \
            rows so far can be erased by retention only.

            The new key is made in the data directory, in the place of the former one, which is gone. With \
            --pseudonym-key-file the key in that file is the new one: put it there first.
            """
    )

    @OptionGroup var options: StoreOptions

    @Flag(help: "Do it; without this nothing is changed.")
    var yes = false

    func run() async throws {
        guard yes else {
            throw CommandFailure.usage("every cluster would count anew; say --yes, and see --help for what that means")
        }
        try await options.withStore { store in
            let clusters = try await store.rotateKey()
            Terminal.write(
                line: "The store goes on under the key \(store.keyPath). Back it up, elsewhere than the store."
            )
            Terminal.write(line: "\(clusters) clusters count anew when they report again.")
        }
    }
}
