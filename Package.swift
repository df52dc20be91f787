// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// The package is the diagram: an arrow between targets exists only where it stands here.
// `make build` passes --explicit-target-dependency-import-check error, so an import that
// is not declared does not build.

let swiftSettings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// Unsafe for SwiftPM, as it does not know them: relocations and the table of exported names are read whole at every start
// and stay resident; packed and left out, the agent takes a fifth less. lld knows how to pack them, glibc since 2.36.
let linkerSettings: [LinkerSetting] = [
    .unsafeFlags(
        ["-use-ld=lld"]
            + ["-z", "pack-relative-relocs", "--no-export-dynamic", "--strip-debug"].flatMap { ["-Xlinker", $0] },
        .when(platforms: [.linux], configuration: .release)
    )
]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPCompression: Target.Dependency = .product(name: "NIOHTTPCompression", package: "swift-nio-extras")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1: Target.Dependency = .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let nioHTTP2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioFoundation: Target.Dependency = .product(name: "NIOFoundationCompat", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdHTTP2: Target.Dependency = .product(name: "HummingbirdHTTP2", package: "hummingbird")
let certificateReloading: Target.Dependency = .product(name: "NIOCertificateReloading", package: "swift-nio-extras")
let jwt: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")

let package = Package(
    name: "cozy-telemetry",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "cozy-telemetry", targets: ["cozy-telemetry"]),
        .library(name: "Exposition", targets: ["Exposition"]),
        .library(name: "TelemetryModel", targets: ["TelemetryModel"]),
        .library(name: "ReportStore", targets: ["ReportStore"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["YAML"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.44.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
    ],
    targets: [
        .target(name: "Exposition", swiftSettings: swiftSettings),
        .target(
            name: "TelemetryModel",
            dependencies: ["Exposition", crypto],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "Kubernetes",
            dependencies: [httpClient, yams, nioCore, nioHTTP1, nioHTTPCompression, nioSSL, logging],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "TelemetryAgent",
            dependencies: [
                "TelemetryModel", "Kubernetes", "Gzip", "CMalloc", httpClient, nioCore, nioPosix, nioHTTP1, nioSSL,
                yams,
                logging, lifecycle, metrics,
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "ReportStore",
            dependencies: ["TelemetryModel", grdb, sqlite, deque, logging, metrics],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "VictoriaMetrics",
            dependencies: [
                "TelemetryModel", "Exposition", "ReportStore", "Gzip", httpClient, nioCore, nioHTTP1, nioFoundation,
                deque,
                logging, metrics, lifecycle,
            ],
            swiftSettings: swiftSettings
        ),
        // What glibc has beyond the standard, which Swift's module for it leaves out.
        .systemLibrary(name: "CMalloc"),
        // What the pages are made of, put into the executable as it is.
        .target(name: "CPageFiles", exclude: ["files"]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "Gzip", dependencies: ["CZlib"], swiftSettings: swiftSettings),
        .target(
            name: "TelemetryServer",
            dependencies: [
                "TelemetryModel", "Exposition", "ReportStore", "Gzip", "CPageFiles", mustache,
                hummingbird, hummingbirdHTTP2, certificateReloading, httpTypes, nioCore, nioPosix,
                nioHTTP1, nioHTTP2, nioHTTPTypes, nioHTTPTypesHTTP1, nioSSL, jwt, logging, metrics, lifecycle,
            ],
            resources: [.embedInCode("Resources/openapi.yaml")],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "FleetSimulator",
            dependencies: ["TelemetryModel", "ReportStore", httpClient, nioCore, nioHTTP1],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "TelemetryTesting",
            dependencies: [
                "TelemetryModel", "Kubernetes", "FleetSimulator", sqlite, nioCore, nioPosix, nioSSL, logging,
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "cozy-telemetry",
            dependencies: [
                "TelemetryModel", "Kubernetes", "TelemetryAgent", "ReportStore", "VictoriaMetrics", "TelemetryServer",
                "FleetSimulator",
                httpClient, crypto, nioCore, nioPosix, nioHTTP1, logging, lifecycle, metrics, yams,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
            ],
            swiftSettings: swiftSettings,
            linkerSettings: linkerSettings
        ),
        .testTarget(
            name: "ExpositionTests",
            dependencies: ["Exposition", "FleetSimulator"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "TelemetryModelTests",
            dependencies: ["TelemetryModel", "Exposition", "FleetSimulator"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "KubernetesTests",
            dependencies: ["Kubernetes", "TelemetryTesting", nioSSL, logging],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "TelemetryAgentTests",
            dependencies: [
                "TelemetryAgent", "TelemetryModel", "Exposition", "Kubernetes", "Gzip", "TelemetryServer",
                "ReportStore",
                "TelemetryTesting", httpClient, nioCore, nioPosix, nioHTTP1, nioSSL, logging, lifecycle,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "ReportStoreTests",
            dependencies: [
                "ReportStore", "TelemetryModel", "FleetSimulator", "TelemetryTesting", grdb, logging, metrics,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "VictoriaMetricsTests",
            dependencies: [
                "VictoriaMetrics", "TelemetryModel", "Exposition", "ReportStore", "Gzip", "TelemetryTesting",
                httpClient,
                nioCore, nioPosix, nioHTTP1, logging, metrics, lifecycle,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "TelemetryServerTests",
            dependencies: [
                "TelemetryServer", "TelemetryModel", "ReportStore", "FleetSimulator", "TelemetryTesting", "Gzip",
                httpClient, httpTypes, nioCore, nioPosix, nioHTTP1, nioSSL, jwt, lifecycle, logging, metrics, yams,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "FleetSimulatorTests",
            dependencies: ["FleetSimulator", "TelemetryModel", "ReportStore", "TelemetryTesting"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "cozy-telemetry", "TelemetryTesting", "TelemetryAgent", "TelemetryModel", "ReportStore",
                "FleetSimulator",
                httpClient, nioCore, nioPosix, nioHTTP1, nioFoundation, jwt, logging, metrics, yams,
                "TelemetryServer", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings
        ),
    ],
    swiftLanguageModes: [.v6]
)

// The fuzzer is a program of its own with the main function of libFuzzer, and everything in it is instrumented: it is built
// by `make fuzz` alone, apart from the rest.
if Context.environment["COZY_TELEMETRY_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "Fuzz",
            dependencies: ["Exposition", "TelemetryModel", "Gzip", "Kubernetes", "TelemetryAgent"],
            path: "Fuzz",
            exclude: ["Corpora"],
            swiftSettings: swiftSettings
        )
    )
}
