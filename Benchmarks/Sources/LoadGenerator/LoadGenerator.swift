// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Sends reports to a server and measures how it answers; `Scripts/bench_servers.py` runs it.
///
/// It reads a `Target` and then any number of phases, one JSON object a line, and answers each phase with a line.
/// What the clusters reported last is remembered from phase to phase.
@main
enum LoadGenerator {
    /// Runs the phases of standard input.
    static func main() {
        do {
            try runPhases()
        } catch {
            FileHandle.standardError.write(Data("LoadGenerator: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func runPhases() throws {
        guard let line = readLine() else { throw LoadError("standard input must begin with a target, as JSON") }
        let target = try JSONDecoder().decode(Target.self, from: Data(line.utf8))
        var driver = try LoadDriver(target: target)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        while let line = readLine() {
            let phase = try JSONDecoder().decode(Phase.self, from: Data(line.utf8))
            var output = try encoder.encode(try driver.run(phase))
            output.append(UInt8(ascii: "\n"))
            try FileHandle.standardOutput.write(contentsOf: output)
        }
    }
}
