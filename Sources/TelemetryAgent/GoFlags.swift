// SPDX-License-Identifier: Apache-2.0

/// Arguments of a program that reads them with Go's package `flag`.
package struct GoFlags {
    private let arguments: [String]

    init(_ arguments: [String]) {
        self.arguments = arguments
    }

    /// The values of a flag written with one dash or two; nil for one that is given without `=`.
    func values(of name: String) -> [String?] {
        arguments.compactMap { argument in
            let text = argument.drop { $0 == "-" }
            guard (1...2).contains(argument.count - text.count) else { return nil }
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.first.map(String.init) == name else { return nil }
            return .some(parts.count == 2 ? String(parts[1]) : nil)
        }
    }

    /// Whether `strconv.ParseBool` reads a value as false.
    package static func isFalse(_ value: String) -> Bool {
        ["0", "f", "F", "false", "FALSE", "False"].contains(value)
    }
}
