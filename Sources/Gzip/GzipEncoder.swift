// SPDX-License-Identifier: Apache-2.0

import CZlib

/// Packs with gzip (RFC 1952), by zlib.
package enum GzipEncoder {
    /// One member that holds those bytes; nil where zlib has no memory for it.
    ///
    /// - Parameters:
    ///   - plain: The bytes.
    ///   - isFast: Whether time counts more than size.
    /// - Returns: The member.
    package static func encode(_ plain: [UInt8], isFast: Bool = false) -> [UInt8]? {
        var stream = z_stream()
        let size = Int32(MemoryLayout<z_stream>.size)
        // 15 bits of window, and 16 for gzip.
        guard
            deflateInit2_(
                &stream,
                isFast ? Z_BEST_SPEED : Z_BEST_COMPRESSION,
                Z_DEFLATED,
                15 + 16,
                8,
                Z_DEFAULT_STRATEGY,
                ZLIB_VERSION,
                size
            ) == Z_OK
        else { return nil }
        defer { deflateEnd(&stream) }
        var input = plain
        var packed = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(plain.count))))
        // Both arrays stay in place until the closures end, and with so much room one call does it all.
        let status = input.withUnsafeMutableBufferPointer { source in
            packed.withUnsafeMutableBufferPointer { target in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                return deflate(&stream, Z_FINISH)
            }
        }
        return status == Z_STREAM_END ? Array(packed.prefix(Int(stream.total_out))) : nil
    }
}
