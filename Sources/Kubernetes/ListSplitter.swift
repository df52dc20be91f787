// SPDX-License-Identifier: Apache-2.0

/// Takes the items out of a list while it arrives, so that each can be read alone and the list is never held whole.
///
/// It follows no more of JSON (RFC 8259) than strings and brackets. What it finds is an object only if a decoder says so,
/// and so is what it leaves over: the list with a number in the place of each item.
struct ListSplitter {
    /// The list without its items; whole when the last byte was taken.
    private(set) var frame: [UInt8] = []

    private let largestItem: Int
    /// The bytes so far of the item that is being read.
    private var item: [UInt8] = []
    /// Open brackets.
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    /// Whether the innermost open bracket but those of an item is that of the items.
    private var isInItems = false
    /// Where the text of the last string of the frame begins and ends, quotes excluded.
    private var lastString = 0..<0

    /// A splitter that takes items, and a frame, of up to so many bytes.
    init(largestItem: Int) {
        self.largestItem = largestItem
    }

    /// Takes a part of the list and gives every item that it completes.
    ///
    /// - Returns: False where an item or the frame grew too large.
    mutating func append(_ bytes: UnsafeRawBufferPointer, _ body: ([UInt8]) throws -> Void) rethrows -> Bool {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let start = index
            guard isInItem || opensItem(bytes[index]) else {
                frame.append(bytes[index])
                follow(bytes[index])
                index += 1
                continue
            }
            repeat {
                follow(bytes[index])
                index += 1
            } while isInItem && index < bytes.endIndex
            item.append(contentsOf: bytes[start..<index])
            guard !isInItem, item.count <= largestItem else { break }
            try body(item)
            item.removeAll(keepingCapacity: true)
            frame.append(UInt8(ascii: "0"))
        }
        return max(item.count, frame.count) <= largestItem
    }

    /// Whether what comes belongs to an item.
    private var isInItem: Bool { isInItems && depth > Self.itemsDepth }

    private func opensItem(_ byte: UInt8) -> Bool {
        isInItems && !isInString && byte == UInt8(ascii: "{")
    }

    /// Keeps track of where in the list a byte is.
    private mutating func follow(_ byte: UInt8) {
        guard !isInString else { return followString(byte) }
        switch byte {
        case UInt8(ascii: "\""):
            isInString = true
            if !isInItem { lastString = frame.count..<frame.count }
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            depth += 1
            // The last string before a bracket at this depth is its key.
            if depth == Self.itemsDepth, byte == UInt8(ascii: "["), frame[lastString].elementsEqual("items".utf8) {
                isInItems = true
            }
        case UInt8(ascii: "]"), UInt8(ascii: "}"):
            depth -= 1
            if depth < Self.itemsDepth { isInItems = false }
        default: break
        }
    }

    private mutating func followString(_ byte: UInt8) {
        if isEscaped {
            isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
            isInString = false
            if !isInItem { lastString = lastString.lowerBound..<frame.count - 1 }
        }
    }

    /// Open brackets between items: those of the list and of `items`.
    private static let itemsDepth = 2
}
