// SPDX-License-Identifier: Apache-2.0

/// Why there is no usable configuration to reach an API server with.
///
/// Names files, entries and fields, never their values.
public enum KubernetesConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The lists of a kubeconfig that an entry can be missing from.
    public enum List: String, Sendable {
        case contexts, clusters, users
    }

    /// There is neither a kubeconfig nor a pod's service account.
    case notConfigured
    /// None of the files that `KUBECONFIG` lists exists.
    case noFileExists([String])
    /// A file cannot be read.
    case unreadable(file: String, reason: String)
    /// A file is not YAML, or not a kubeconfig; lines and columns begin at 1.
    case malformed(file: String, line: Int, column: Int, reason: String)
    /// No context was asked for and the files name none as the current one.
    case noCurrentContext(files: [String])
    /// An entry is named but stands in none of the files.
    case missing(List, name: String, files: [String])
    /// A field that is set has a meaning that this client does not know how to follow.
    case unsupported(field: String, list: List, name: String, file: String)
    /// The value of a field cannot be used.
    case invalid(field: String, of: String, file: String, reason: String)

    /// What is wrong, where, and what to do about it.
    public var description: String {
        switch self {
        case .notConfigured:
            "no API server is configured: give --kubeconfig, set KUBECONFIG, or run in a pod with a service account"
        case .noFileExists(let files):
            "KUBECONFIG names no file that exists: \(files.joined(separator: ", "))"
        case .unreadable(let file, let reason):
            "\(file) cannot be read: \(reason)"
        case .malformed(let file, let line, let column, let reason):
            "\(file):\(line):\(column): \(reason)"
        case .noCurrentContext(let files):
            "no current-context in \(files.joined(separator: ", ")): set one with `kubectl config use-context`"
        case .missing(let list, let name, let files):
            "no entry \"\(name)\" among the \(list.rawValue) of \(files.joined(separator: ", "))"
        case .unsupported(let field, let list, let name, let file):
            "\(file): \"\(field)\" of \"\(name)\" in \(list.rawValue) is not supported; "
                + "use a token, a token file or a client certificate, and no proxy"
        case .invalid(let field, let owner, let file, let reason):
            "\(file): \"\(field)\" of \(owner) \(reason)"
        }
    }
}
