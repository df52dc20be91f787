// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// Names that can be given, for those who gave another.
struct KnownNames {
    /// What they are names of, `dimension`.
    let kind: String
    let names: [String]

    /// The error for a name that there is not, with the nearest that there is.
    func refusal(of name: String) -> ValidationError {
        let guess = nearest(to: name).map { "did you mean \($0)? " } ?? ""
        return ValidationError(
            "there is no \(kind) '\(name.printable)'; \(guess)There are \(names.joined(separator: ", "))."
        )
    }

    /// The name that the fewest typos lead to; nil where that would be most of it.
    func nearest(to name: String) -> String? {
        let name = name.lowercased().map { $0 == "-" ? "_" : $0 }
        let (distance, nearest) = names.map { (Self.distance(name, Array($0)), $0) }.min { $0.0 < $1.0 } ?? (.max, "")
        if distance <= max(1, name.count / 3) { return nearest }
        return names.first { name.count > 1 && $0.hasPrefix(String(name)) }
    }

    /// How many letters have to be put in, taken out or changed (Levenshtein's distance).
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var row = Array(0...right.count)
        for (index, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let change = diagonal + (letter == right[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(change, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
