// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "cozy-telemetry", path: ".."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.0", traits: []),
    ],
    targets: [
        .executableTarget(
            name: "TelemetryBenchmarks",
            dependencies: [
                "AllocationCounter",
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "Exposition", package: "cozy-telemetry"),
                .product(name: "TelemetryModel", package: "cozy-telemetry"),
                .product(name: "ReportStore", package: "cozy-telemetry"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ],
            path: "Benchmarks/TelemetryBenchmarks",
            swiftSettings: [.treatAllWarnings(as: .error)],
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
        ),
        .target(name: "AllocationCounter"),
        .systemLibrary(name: "CEpoll"),
        .executableTarget(
            name: "LoadGenerator",
            dependencies: ["CEpoll", .product(name: "TelemetryModel", package: "cozy-telemetry")],
            swiftSettings: [.treatAllWarnings(as: .error)]
        ),
    ],
    swiftLanguageModes: [.v6]
)
