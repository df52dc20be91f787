// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import Kubernetes

@Suite("Lines of a watch")
struct LineSplitterTests {
    @Test("are put together from chunks of any size, empty ones left out", arguments: [1, 2, 3, 7, 100])
    func chunks(size: Int) {
        let text = Array("first\n\nsecond line\nthird\n".utf8)
        var splitter = LineSplitter(longestLine: 20)
        var lines: [String] = []
        for start in stride(from: 0, to: text.count, by: size) {
            let isTaken = splitter.append(ByteBuffer(bytes: text[start..<min(start + size, text.count)]))
            #expect(isTaken)
            while let line = splitter.next() { lines.append(String(buffer: line)) }
        }
        #expect(lines == ["first", "second line", "third"])
    }

    @Test("one without an end is refused when it is too long, however small the chunks")
    func endless() {
        var splitter = LineSplitter(longestLine: 100)
        var taken = 0
        while splitter.append(ByteBuffer(repeating: 97, count: 10)), taken < 1_000 {
            let line = splitter.next()
            #expect(line == nil)
            taken += 10
        }
        #expect(taken == 100)
    }

    @Test("many whole lines in one chunk are no long line")
    func manyLines() {
        var splitter = LineSplitter(longestLine: 4)
        let isTaken = splitter.append(ByteBuffer(string: "one\ntwo\nsix\n"))
        #expect(isTaken)
        var count = 0
        while splitter.next() != nil { count += 1 }
        #expect(count == 3)
    }
}
