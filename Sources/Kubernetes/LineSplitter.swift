// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Cuts what arrives in chunks into lines.
struct LineSplitter {
    private let longestLine: Int
    private var buffer = ByteBuffer()
    /// How many of the buffer's first bytes are known to hold no line end.
    private var searched = 0

    /// A splitter that takes lines of up to so many bytes.
    init(longestLine: Int) {
        self.longestLine = longestLine
    }

    /// Takes a chunk; false where a line without its end grew too long.
    mutating func append(_ chunk: ByteBuffer) -> Bool {
        buffer.discardReadBytes()
        buffer.writeImmutableBuffer(chunk)
        return buffer.readableBytes <= longestLine || buffer.readableBytesView.contains(Self.lineEnd)
    }

    /// The next whole line without its end, or nil where none is there yet.
    ///
    /// Empty lines are left out.
    mutating func next() -> ByteBuffer? {
        while let end = buffer.readableBytesView.dropFirst(searched).firstIndex(of: Self.lineEnd) {
            let line = buffer.readSlice(length: end - buffer.readerIndex)
            buffer.moveReaderIndex(forwardBy: 1)
            searched = 0
            if let line, line.readableBytes > 0 { return line }
        }
        searched = buffer.readableBytes
        return nil
    }

    private static let lineEnd = UInt8(ascii: "\n")
}
