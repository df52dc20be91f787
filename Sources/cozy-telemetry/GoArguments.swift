// SPDX-License-Identifier: Apache-2.0

import TelemetryAgent

/// The command line as the deployed clients take it, which are written in Go, in the form that ours is parsed in.
///
/// Go's `flag` package takes one dash or two, and a flag may have a value: `-disable-telemetry=true`.
enum GoArguments {
    /// Arguments with two dashes, and the flag without its value.
    ///
    /// Only a value that Go reads as false takes the flag away; anything else is a no.
    static func normalized(_ arguments: [String]) -> [String] {
        guard ["agent", "preview"].contains(arguments.first) else { return arguments }
        return arguments.compactMap { argument in
            guard argument.hasPrefix("-"), argument.drop(while: { $0 == "-" }).count > 1 else { return argument }
            let long = argument.hasPrefix("--") ? argument : "-" + argument
            guard long.hasPrefix("--disable-telemetry=") else { return long }
            let value = String(long.dropFirst("--disable-telemetry=".count))
            return GoFlags.isFalse(value) ? nil : "--disable-telemetry"
        }
    }
}
