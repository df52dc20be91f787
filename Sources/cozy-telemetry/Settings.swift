// SPDX-License-Identifier: Apache-2.0

import Configuration
import Foundation
import SystemPackage
import Yams

/// Settings from the command line, from the environment (`COZY_TELEMETRY_…`) and from a YAML file, the first that has
/// one in that order.
struct Settings {
    private let reader: ConfigReader

    /// Opens the sources.
    ///
    /// - Parameters:
    ///   - flags: What stood on the command line, by the name of the flag without dashes; nil where it did not.
    ///   - known: Every name that the file may have.
    ///   - file: The path of a YAML file with those names as keys; nil for none.
    ///   - environment: The environment.
    /// - Throws: `CommandFailure` where the file cannot be read, is no YAML or has other keys.
    init(
        flags: [String: String?],
        known: Set<String>,
        file: String?,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws {
        let given = flags.compactMapValues { $0 }
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for (name, value) in given { values[AbsoluteConfigKey([name])] = ConfigValue(.string(value), isSecret: false) }
        var providers: [any ConfigProvider] = [
            InMemoryProvider(name: "command line", values: values),
            EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(with: "cozy-telemetry"),
        ]
        if let path = file ?? environment["COZY_TELEMETRY_CONFIG"] {
            try Self.check(path, known: known)
            do {
                providers.append(try await FileProvider<YAMLSnapshot>(filePath: FilePath(path)))
            } catch {
                throw CommandFailure.usage("\(path): \(error)")
            }
        }
        reader = ConfigReader(providers: providers)
    }

    /// The setting of a name, or nil where nobody set it.
    subscript(_ name: String) -> String? { reader.string(forKey: ConfigKey([name])) }

    /// The directory of the store and its key.
    var dataDirectory: String { self["data-dir"] ?? "/var/lib/cozy-telemetry" }

    /// A whole number.
    ///
    /// - Throws: `CommandFailure` where it is none, or out of range.
    func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int) throws -> Int {
        guard let text = self[name] else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            throw CommandFailure.usage("\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A yes or no; no where nobody set it.
    ///
    /// - Throws: `CommandFailure` where it is neither `true` nor `false`.
    func boolean(_ name: String) throws -> Bool {
        switch self[name] {
        case "true": return true
        case "false", nil: return false
        default: throw CommandFailure.usage("\(name) must be true or false")
        }
    }

    /// Refuses a file that has keys which mean nothing, as a typo would otherwise pass unseen.
    private static func check(_ path: String, known: Set<String>) throws {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw CommandFailure.usage("\(path): \(error.localizedDescription)")
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch YamlError.parser(_, let problem, let mark, _), YamlError.scanner(_, let problem, let mark, _) {
            throw CommandFailure.usage("\(path):\(mark.line): not YAML: \(problem)")
        } catch {
            throw CommandFailure.usage("\(path): not YAML")
        }
        guard let node, node != "" else { return }
        guard let mapping = node.mapping else { throw CommandFailure.usage("\(path): expected `name: value` lines") }
        for (key, value) in mapping where value.scalar == nil {
            let line = value.mark.map { ":\($0.line)" } ?? ""
            throw CommandFailure.usage("\(path)\(line): \(key.string ?? "this setting") must be one value")
        }
        for key in mapping.keys where !known.contains(key.string ?? "") {
            let line = key.mark.map { ":\($0.line)" } ?? ""
            throw CommandFailure.usage(
                "\(path)\(line): there is no setting \(key.string ?? "of this kind"); there are \(known.sorted().joined(separator: ", "))"
            )
        }
    }
}
