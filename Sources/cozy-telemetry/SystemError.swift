// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the system said where Foundation could not read or write.
struct SystemError {
    /// Its number; nil where the error is none of the system's.
    let number: Int32?
    /// Its own words where there are any; Foundation's say less.
    let words: String

    /// The system's error behind another one.
    init(behind error: any Error) {
        let error = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError ?? error as NSError
        number = error.domain == NSPOSIXErrorDomain ? Int32(error.code) : nil
        words = number.map { String(cString: strerror($0)) } ?? error.localizedDescription
    }
}
