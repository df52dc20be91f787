// SPDX-License-Identifier: Apache-2.0

import HTTPTypes

/// What browsers are told about every answer, beside what it says itself.
enum SecurityHeaders {
    /// What is told over HTTP too: an answer is what its type says, loads nothing, is in no frame, and tells nobody.
    private static let always = named([
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    ])
    /// What is told over TLS alone (RFC 6797, 7.2): to come over TLS only, for a year.
    private static let secure = named(["Strict-Transport-Security": "max-age=31536000"])
    /// No page of another origin may embed it.
    private static let sameOrigin = named(["Cross-Origin-Resource-Policy": "same-origin"])

    /// Adds what an answer does not say itself.
    static func add(to headers: inout HTTPFields, isSecure: Bool) {
        for field in all(isSecure: isSecure, isShared: headers[.accessControlAllowOrigin] != nil)
        where headers[field.name] == nil { headers.append(field) }
    }

    /// What browsers are told.
    ///
    /// - Parameters:
    ///   - isSecure: Whether it is told over TLS.
    ///   - isShared: Whether pages of other origins may read the answer.
    /// - Returns: The fields.
    static func all(isSecure: Bool, isShared: Bool = false) -> [HTTPField] {
        always + (isShared ? [] : sameOrigin) + (isSecure ? secure : [])
    }

    private static func named(_ fields: [String: String]) -> [HTTPField] {
        fields.sorted { $0.key < $1.key }.compactMap { name, value in
            HTTPField.Name(name).map { HTTPField(name: $0, value: value) }
        }
    }
}
