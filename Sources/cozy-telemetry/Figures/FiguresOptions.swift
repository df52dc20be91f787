// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import TelemetryAgent
import TelemetryModel

/// Which backend is asked for what everybody may read.
struct BackendOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The public listener of the backend. (environment: COZY_TELEMETRY_URL, default: http://127.0.0.1:8081)",
            valueName: "url"
        )
    )
    var url: String?

    @OptionGroup var transport: TransportOptions

    /// Its address.
    ///
    /// - Throws: `CommandFailure`.
    func address() throws -> BackendAddress {
        let url = url ?? ProcessInfo.processInfo.setting("COZY_TELEMETRY_URL") ?? "http://127.0.0.1:8081"
        return try transport.address(url, setting: "--url or COZY_TELEMETRY_URL")
    }
}

/// Whether a private listener is asked for the whole figures instead.
struct PrivateOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Ask this private listener instead, which does not fold what few clusters have; needs a token of a viewer.",
            valueName: "url"
        )
    )
    var adminUrl: String?

    @OptionGroup var token: TokenOptions

    /// The address of the private listener, or else of the public one.
    ///
    /// - Throws: `CommandFailure`.
    func address(or backend: BackendOptions) throws -> BackendAddress {
        guard let adminUrl else {
            guard token.tokenFile == nil else {
                throw CommandFailure.usage("--token-file goes with --admin-url: the public listener takes no token")
            }
            return try backend.address()
        }
        guard backend.url == nil else { throw CommandFailure.usage("give --url or --admin-url, not both") }
        let token = try token.token(for: "--admin-url")
        return try backend.transport.address(adminUrl, setting: "--admin-url", token: token)
    }
}

extension TransportOptions {
    /// A backend that is reached so.
    ///
    /// - Throws: `CommandFailure` where the URL is none.
    func address(_ url: String, setting: String, token: String? = nil) throws -> BackendAddress {
        guard let parts = URLComponents(string: url), ["http", "https"].contains(parts.scheme), parts.user == nil,
            parts.host?.isEmpty == false, parts.query == nil, parts.fragment == nil
        else {
            throw CommandFailure.usage("\(setting) must be an http or https URL, such as http://127.0.0.1:8081")
        }
        let configuration = try transport(to: url).httpClientConfiguration
        return BackendAddress(url, setting: setting, token: token, configuration: configuration)
    }
}

/// The secret of a role; it never stands on the command line, which other users can see.
struct TokenOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file with the token; otherwise COZY_TELEMETRY_TOKEN has it.",
            valueName: "file"
        ),
        completion: .file()
    )
    var tokenFile: String?

    /// The token.
    ///
    /// - Parameter option: What needs it.
    /// - Returns: The secret.
    /// - Throws: `CommandFailure`.
    func token(for option: String) throws -> String {
        guard let tokenFile else {
            guard let token = ProcessInfo.processInfo.setting("COZY_TELEMETRY_TOKEN") else {
                throw CommandFailure.usage("\(option) takes a token: --token-file, or COZY_TELEMETRY_TOKEN")
            }
            return try Self.token(in: token, of: "COZY_TELEMETRY_TOKEN")
        }
        let text: String
        do {
            text = try String(contentsOfFile: tokenFile, encoding: .utf8)
        } catch {
            throw CommandFailure.usage("--token-file: cannot read \(tokenFile): \(error.localizedDescription)")
        }
        return try Self.token(in: text, of: "--token-file: \(tokenFile)")
    }

    /// The one token that a text has (RFC 6750, 2.1), with blanks around it.
    private static func token(in text: String, of source: String) throws -> String {
        let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
        let problem: String? =
            if token.isEmpty {
                "is empty"
            } else if token.contains(where: \.isWhitespace) {
                "has more than one word"
            } else if token.wholeMatch(of: /[-A-Za-z0-9._~+\/]+=*/) == nil {
                "has letters that no token has"
            } else {
                nil
            }
        guard let problem else { return token }
        throw CommandFailure.usage(
            "\(source) \(problem); it takes one token, as `cozy-telemetry admin token create` prints it"
        )
    }
}

extension ProcessInfo {
    /// A variable of the environment; one that is empty is as good as none.
    fileprivate func setting(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// The month that is asked for, the last one of whatever is longer.
struct MonthOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The year, 2024 to 2100; the current one unless given.", valueName: "yyyy"))
    var year: Int?

    @Option(help: ArgumentHelp("The month, 1 to 12; the current one unless given.", valueName: "mm"))
    var month: Int?

    /// The years that backends answer for.
    static let years = 2024...2100

    func validate() throws {
        guard Self.years.contains(year ?? 2024) else { throw ValidationError("--year must be from 2024 to 2100") }
        guard (1...12).contains(month ?? 1) else { throw ValidationError("--month must be from 1 to 12") }
    }

    /// The month; in UTC, as all figures are.
    var calendarMonth: CalendarMonth {
        let current = UTCInstant.now().month
        return CalendarMonth(year: year ?? current.year, month: month ?? current.month)
    }
}
