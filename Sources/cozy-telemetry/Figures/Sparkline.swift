// SPDX-License-Identifier: Apache-2.0

/// A curve of one letter a value, from nothing to its highest.
struct Sparkline {
    /// The curve; a value of 0 is a blank.
    let text: String

    /// The curve of values.
    init(_ values: [Int64]) {
        let highest = Double(values.max() ?? 0)
        text = String(
            values.map { value in
                guard value > 0 else { return " " }
                // Whatever there is of something has a step of its own, and only the highest has the last one.
                let step = (Double(value) / highest * Double(Self.steps.count)).rounded(.up)
                return Self.steps[min(max(Int(step), 1), Self.steps.count) - 1]
            }
        )
    }

    private static let steps = Array("▁▂▃▄▅▆▇█")
}

/// A bar, to an eighth of a column.
struct Bar {
    /// The bar; a blank for nothing.
    let text: String

    /// The bar of a value.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - highest: The value that is as long as the bar can be.
    ///   - columns: How long that is.
    init(_ value: Int, of highest: Int, columns: Int) {
        guard value > 0, highest > 0 else {
            text = ""
            return
        }
        let eighths = max(1, Int((Double(value) / Double(highest) * Double(columns * 8)).rounded()))
        let rest = eighths % 8 == 0 ? "" : String(Self.parts[eighths % 8 - 1])
        text = String(repeating: "█", count: eighths / 8) + rest
    }

    private static let parts = Array("▏▎▍▌▋▊▉")
}
