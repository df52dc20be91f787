// SPDX-License-Identifier: Apache-2.0

/// What a caller is willing to read; passing any of these is an error of its own.
public struct ExpositionLimits: Sendable, Equatable {
    /// The length of the input, in bytes.
    public var bytes: Int
    /// Lines of any kind, blank ones and comments included.
    public var lines: Int
    /// Samples in the input.
    public var samples: Int
    /// Labels of one sample.
    public var labelsPerSample: Int
    /// The length of a metric or label name, in bytes.
    public var nameLength: Int
    /// The length of a label value as it stands between the quotes, in bytes.
    public var valueLength: Int

    /// Makes limits; what is not given is unlimited.
    public init(
        bytes: Int = .max,
        lines: Int = .max,
        samples: Int = .max,
        labelsPerSample: Int = .max,
        nameLength: Int = .max,
        valueLength: Int = .max
    ) {
        self.bytes = bytes
        self.lines = lines
        self.samples = samples
        self.labelsPerSample = labelsPerSample
        self.nameLength = nameLength
        self.valueLength = valueLength
    }

    /// No limits.
    public static let unlimited = ExpositionLimits()
}
