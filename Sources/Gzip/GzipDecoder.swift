// SPDX-License-Identifier: Apache-2.0

import CZlib

/// Unpacks gzip (RFC 1952) with zlib, within a limit.
package enum GzipDecoder {
    /// Why a body cannot be unpacked.
    package enum Failure: Error, Equatable {
        /// The bytes are not gzip, or end too early.
        case malformed
        /// What comes out is over the limit.
        case tooLarge
    }

    /// The unpacked bytes of all members.
    ///
    /// - Parameters:
    ///   - packed: The whole body.
    ///   - limit: The most bytes that may come out.
    /// - Returns: The text that was packed.
    /// - Throws: `Failure`; never more than `limit` bytes and a chunk are held.
    package static func decode(_ packed: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
        var stream = z_stream()
        // 15 bits of window, and 16 for gzip only.
        guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .malformed
        }
        defer { inflateEnd(&stream) }
        var input = packed
        var unpacked: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        // zlib keeps pointers into both arrays from call to call; they stay in place until the closures end.
        let failure = input.withUnsafeMutableBufferPointer { source -> Failure? in
            chunk.withUnsafeMutableBufferPointer { target -> Failure? in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                while true {
                    stream.next_out = target.baseAddress
                    stream.avail_out = UInt32(target.count)
                    let status = inflate(&stream, Z_NO_FLUSH)
                    unpacked.append(contentsOf: target.prefix(target.count - Int(stream.avail_out)))
                    if unpacked.count > limit { return .tooLarge }
                    switch status {
                    case Z_STREAM_END where stream.avail_in == 0: return nil
                    case Z_STREAM_END where inflateReset(&stream) == Z_OK: continue
                    case Z_OK: continue
                    default: return .malformed
                    }
                }
            }
        }
        if let failure { throw failure }
        return unpacked
    }
}
