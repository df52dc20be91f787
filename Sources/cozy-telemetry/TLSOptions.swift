// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TelemetryServer

/// What the listeners of a backend speak TLS with.
struct TLSOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Speak TLS where reports and figures are served, with the certificates in this PEM file; it is read again when it changes.",
            valueName: "file"
        ),
        completion: .file()
    )
    var tlsCert: String?

    @Option(help: ArgumentHelp("The private key of --tls-cert, PEM.", valueName: "file"), completion: .file())
    var tlsKey: String?

    @Option(
        help: ArgumentHelp("Speak TLS, and HTTP/2, where metrics and /v1/ are served.", valueName: "file"),
        completion: .file()
    )
    var adminTlsCert: String?

    @Option(help: ArgumentHelp("The private key of --admin-tls-cert, PEM.", valueName: "file"), completion: .file())
    var adminTlsKey: String?

    @Option(
        help: ArgumentHelp(
            "Let only clients to --admin-addr that have a certificate of the authorities in this PEM file.",
            valueName: "file"
        ),
        completion: .file()
    )
    var adminClientCa: String?

    /// The names of these settings.
    static let names: Set<String> = ["tls-cert", "tls-key", "admin-tls-cert", "admin-tls-key", "admin-client-ca"]

    /// What stood on the command line.
    var flags: [String: String?] {
        [
            "tls-cert": tlsCert, "tls-key": tlsKey, "admin-tls-cert": adminTlsCert, "admin-tls-key": adminTlsKey,
            "admin-client-ca": adminClientCa,
        ]
    }

    /// The files of a listener; nil where it is to speak plain HTTP.
    ///
    /// - Throws: `CommandFailure` where one of them is missing.
    static func files(_ prefix: String, of sources: Settings) throws -> TLSFiles? {
        let authorities = sources["\(prefix)client-ca"]
        switch (sources["\(prefix)tls-cert"], sources["\(prefix)tls-key"]) {
        case (let certificate?, let key?):
            return TLSFiles(certificate: certificate, key: key, clientAuthorities: authorities)
        case (nil, nil) where authorities == nil: return nil
        default: throw CommandFailure.usage("give \(prefix)tls-cert and \(prefix)tls-key, both of them")
        }
    }
}
