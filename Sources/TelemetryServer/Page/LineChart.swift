// SPDX-License-Identifier: Apache-2.0

/// Curves over months as a drawing (SVG), for whoever has no scripts and until they run.
struct LineChart {
    /// The values of a curve, a month each; nil where there is none.
    typealias Curve = [Double?]

    /// The curves; the first one is drawn last, on top.
    let curves: [Curve]
    /// What stands at the left and at the right end of the months.
    let ends: (first: String, last: String)
    /// What numbers of the scale look like.
    let format: (Double) -> String

    private static let size = (width: 400.0, height: 150.0)
    private static let plot = (left: 40.0, top: 8.0, right: 394.0, bottom: 124.0)

    /// The drawing's inside; colours are those of the classes `s0`, `s1` and so on.
    var svg: String {
        let top = Self.top(of: curves.joined().compactMap { $0 }.max() ?? 0)
        let lines = curves.enumerated().reversed().map { index, curve in
            "<path class=\"line s\(index)\" d=\"\(path(curve, top: top))\"/>"
        }
        return "<svg viewBox=\"0 0 \(Int(Self.size.width)) \(Int(Self.size.height))\" aria-hidden=\"true\">"
            + grid(top) + lines.joined() + "</svg>"
    }

    /// A drawing of one curve without a scale.
    static func sparkline(_ curve: Curve) -> String {
        let top = max(curve.compactMap { $0 }.max() ?? 0, 1)
        let path = path(curve) { index, value in
            (2 + 96 * fraction(index, of: curve.count), 26 - 24 * value / top)
        }
        return
            "<svg class=\"spark\" viewBox=\"0 0 100 28\" aria-hidden=\"true\"><path class=\"line s0\" d=\"\(path)\"/></svg>"
    }

    /// The end of a scale from zero: the next of 1, 2, 4, 5, 10, 20 and so on.
    static func top(of value: Double) -> Double {
        var unit = 1.0
        while unit * 10 < value { unit *= 10 }
        return [1, 2, 4, 5, 10].map { $0 * unit }.first { $0 >= value } ?? 1
    }

    private func path(_ curve: Curve, top: Double) -> String {
        Self.path(curve) { index, value in
            let (left, right) = (Self.plot.left, Self.plot.right)
            return (left + (right - left) * Self.fraction(index, of: curve.count), y(value / top))
        }
    }

    private func y(_ fraction: Double) -> Double { Self.plot.bottom - (Self.plot.bottom - Self.plot.top) * fraction }

    /// Lines of the scale with their numbers, and the months at both ends.
    private func grid(_ top: Double) -> String {
        let steps = [0, 0.25, 0.5, 0.75, 1].filter { top >= 4 || ($0 * top).rounded() == $0 * top }
        let lines = steps.map { step in
            let height = Self.text(y(step))
            return "<path class=\"grid\" d=\"M\(Self.text(Self.plot.left)) \(height)H\(Self.text(Self.plot.right))\"/>"
                + "<text x=\"36\" y=\"\(Self.text(y(step) + 4))\" class=\"scale\">\(format(step * top))</text>"
        }
        return lines.joined() + "<text x=\"40\" y=\"144\">\(ends.first)</text>"
            + "<text x=\"394\" y=\"144\" class=\"scale\">\(ends.last)</text>"
    }

    /// The path through the points of a curve, with gaps where it has no value; a lone point is a dot.
    private static func path(_ curve: Curve, at point: (Int, Double) -> (Double, Double)) -> String {
        var path = ""
        for (index, value) in curve.enumerated() {
            guard let value else { continue }
            let (x, y) = point(index, value)
            let isJoined = index > 0 && curve[index - 1] != nil
            path += "\(isJoined ? "L" : "M")\(text(x)) \(text(y))"
            let isAlone = !isJoined && (index + 1 == curve.count || curve[index + 1] == nil)
            if isAlone { path += "h.1" }
        }
        return path
    }

    private static func fraction(_ index: Int, of count: Int) -> Double {
        count < 2 ? 0.5 : Double(index) / Double(count - 1)
    }

    /// A coordinate to a tenth.
    private static func text(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
    }
}
