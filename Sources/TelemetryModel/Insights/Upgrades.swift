// SPDX-License-Identifier: Apache-2.0

/// From which version to which clusters went, and how long they took.
public struct Upgrades: Encodable, Equatable, Sendable {
    /// All clusters that went from one version to another.
    public struct Path: Encodable, Equatable, Sendable {
        /// Which way the order of versions goes.
        public enum Direction: String, Encodable, Sendable {
            case up, down
        }

        /// The version before.
        public var from: String
        /// The version after.
        public var to: String
        /// nil where one of them is no version, or where both are the same one.
        public var direction: Direction?
        /// How many.
        public var clusters: Int
        /// Days between the days on which a cluster was first seen with the one and with the other.
        public var days: Quartiles

        /// A path.
        public init(from: String, to: String, clusters: Int, days: Quartiles) {
            (self.from, self.to, self.clusters, self.days) = (from, to, clusters, days)
            guard let before = VersionNumber(from), let after = VersionNumber(to), before != after else { return }
            direction = before < after ? .up : .down
        }
    }

    /// How many moves there were on all paths, also on those that are left out here.
    public var moves: Int
    /// The paths, those of most clusters first.
    public var paths: [Path]

    /// Moves and paths.
    public init(moves: Int, paths: [Path]) {
        (self.moves, self.paths) = (moves, paths)
    }
}

extension [Upgrades.Path] {
    /// Those of most clusters first.
    package var ranked: Self {
        sorted { ($1.clusters, $0.from, $0.to) < ($0.clusters, $1.from, $1.to) }
    }
}
