// SPDX-License-Identifier: Apache-2.0

/// The command line as the deployed clients take it, which are written in Go, in the form that ours is parsed in.
///
/// Go's `flag` package takes one dash or two, and a flag may have a value: `-disable-telemetry=true`.
enum GoArguments {
    /// Arguments with two dashes, and the flag without its value.
    ///
    /// Only a value that Go reads as false takes the flag away; anything else is a no.
    static func normalized(_ arguments: [String]) -> [String] {
        guard arguments.first == "agent" else { return arguments }
        return arguments.compactMap { argument in
            guard argument.hasPrefix("-"), argument.drop(while: { $0 == "-" }).count > 1 else { return argument }
            let long = argument.hasPrefix("--") ? argument : "-" + argument
            guard long.hasPrefix("--disable-telemetry=") else { return long }
            let value = String(long.dropFirst("--disable-telemetry=".count))
            return falseValues.contains(value) ? nil : "--disable-telemetry"
        }
    }

    /// What Go's `strconv.ParseBool` reads as false.
    private static let falseValues: Set = ["0", "f", "F", "false", "FALSE", "False"]
}
