// SPDX-License-Identifier: Apache-2.0

/// Why reports cannot be sent the way that was asked for.
///
/// Names files and variables, never what is in them.
public enum DeliveryConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The endpoint is no URL that anything can be sent to.
    case invalidEndpoint
    /// A file cannot be read.
    case unreadable(file: String, reason: String)
    /// A file has not what it must have.
    case invalid(file: String, reason: String)
    /// A client key was given without its certificate.
    case keyWithoutCertificate
    /// A variable of the environment names no proxy that can be used.
    case invalidProxy(variable: String)
    /// The endpoint is an https URL with an address for its host, and there is a proxy for it.
    case addressThroughProxy
    /// The directory for what waits cannot be made, or is none.
    case unusableSpool(directory: String, reason: String)

    /// What is wrong and what to do about it.
    public var description: String {
        switch self {
        case .invalidEndpoint: AgentError.invalidEndpoint.description
        case .unreadable(let file, let reason):
            "\(file) cannot be read: \(reason)"
        case .invalid(let file, let reason):
            "\(file) \(reason)"
        case .keyWithoutCertificate:
            "a client key needs its certificate: give --client-cert too"
        case .invalidProxy(let variable):
            "\(variable) must be the URL of an HTTP proxy, http://[user:password@]host[:port]"
        case .addressThroughProxy:
            "an https endpoint that is given by its address cannot be verified through a proxy: give its name, "
                + "or put the address into NO_PROXY"
        case .unusableSpool(let directory, let reason):
            "\(directory) cannot hold what waits to be sent: \(reason); give --spool-dir a directory that can be written to"
        }
    }
}
