// SPDX-License-Identifier: Apache-2.0

/// What may be told of applications: those of the public vocabulary as they are, and of any other kind what at least *k*
/// clusters have, the rest under `other`.
enum PublicApplications {
    /// Applications by the kind that was sent.
    static func asSent(_ figures: [Figure: Int64], threshold: Int) -> [String: Int64] {
        published(figures, threshold: threshold) { kind in ApplicationName.published(kind) ?? kind }
    }

    /// Applications by canonical name, aliases merged.
    static func canonical(_ figures: [Figure: Int64], threshold: Int) -> [String: Int64] {
        var applications = published(figures, threshold: threshold) { kind in
            ApplicationName.canonical(of: kind) == nil ? kind : nil
        }
        for case (.canonicalApplication(let name), let value) in figures { applications[name] = value }
        return applications
    }

    /// Applications by a name for those of the vocabulary, which is left out where there is none, and others as *k* has it.
    private static func published(
        _ figures: [Figure: Int64],
        threshold: Int,
        name: (_ kind: String) -> String?
    ) -> [String: Int64] {
        var published: [String: Int64] = [:]
        func add(_ value: Int64, to name: String) { published[name] = (published[name] ?? 0).addingClamped(value) }
        var unlisted: [(kind: String, clusters: Int64, value: Int64)] = []
        for case (.application(let kind), let value) in figures {
            switch figures[.clustersWithApplication(kind: kind)] {
            case .none: if let name = name(kind) { add(value, to: name) }
            case .some(0): break
            case .some(let clusters): unlisted.append((kind, clusters, value))
            }
        }
        let names = AnonymousNames(unlisted, threshold: threshold, name: \.kind, clusters: \.clusters)
        for entry in names.named { add(entry.value, to: entry.kind) }
        for entry in names.folded { add(entry.value, to: DataDictionary.other) }
        return published
    }
}
