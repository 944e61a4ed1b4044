// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "pgvigil",
    products: [
        .executable(name: "pgvigil", targets: ["pgvigil"]),
        // What the fuzzers of `Tests/Fuzz` ask for.
        .library(name: "Properties", targets: ["Properties"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swhitty/FlyingFox", .upToNextMinor(from: "0.27.1")),
    ],
    targets: [
        // The way of the data, in order.
        .target(name: "VigilModel", dependencies: [.product(name: "Crypto", package: "swift-crypto")]),
        .target(name: "LogSources", dependencies: ["VigilModel", "Codecs", "HTTPTransport"]),
        .target(name: "LogRecords", dependencies: ["VigilModel", "CScan"], plugins: ["EmbedPatterns"]),
        .target(name: "SecurityEvents", dependencies: ["VigilModel", "Patterns", "CWords"]),
        .target(
            name: "EventStore",
            dependencies: [
                "VigilModel",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ]),
        .target(
            name: "Detections",
            dependencies: ["VigilModel", "Patterns"]),
        .target(name: "Responses", dependencies: ["VigilModel"]),
        // Rules in the words of other engines.
        .target(name: "RuleExport", dependencies: ["VigilModel", "Patterns", "Detections"]),
        .target(name: "Deliveries", dependencies: ["VigilModel", "HTTPTransport", "LocatedYAML"]),
        // What the rooms lean on.
        .target(name: "Codecs", dependencies: ["CCompression"]),
        .target(name: "HTTPTransport", dependencies: ["Codecs", "CCurl"]),
        .target(name: "HTTPListener", dependencies: [.product(name: "FlyingSocks", package: "FlyingFox")]),
        .target(name: "LocatedYAML", dependencies: [.product(name: "Yams", package: "Yams")]),
        .target(
            name: "Patterns", dependencies: ["VigilModel", "LocatedYAML", "CPCRE2"],
            plugins: ["EmbedPatterns"]),
        .target(
            name: "Vigil",
            dependencies: [
                "VigilModel", "LogSources", "LogRecords", "SecurityEvents", "EventStore", "Detections", "Responses",
                "Deliveries", "Patterns", "LocatedYAML", "Codecs", "HTTPTransport", "HTTPListener", "RuleExport",
            ]),
        .executableTarget(
            name: "pgvigil",
            dependencies: [
                "Vigil", "VigilModel", "EventStore", "Responses", "RuleExport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        // The files of `patterns/` become part of the binary at build time.
        .executableTarget(name: "embed-patterns"),
        .plugin(name: "EmbedPatterns", capability: .buildTool(), dependencies: ["embed-patterns"]),
        // C libraries, each with one importer.
        .systemLibrary(
            name: "CPCRE2", path: "Modules/CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        // Its headers stand where the compiler looks; pkg-config knows one name a module, and these are five.
        .systemLibrary(
            name: "CCompression", path: "Modules/CCompression",
            providers: [.apt(["zlib1g-dev", "libzstd-dev", "liblzma-dev", "libbz2-dev", "liblz4-dev"])]),
        .systemLibrary(
            name: "CCurl", path: "Modules/CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "CScan", path: "Modules/CScan"),
        .target(name: "CWords", path: "Modules/CWords"),
        // Tests mirror Sources; Tests/Corpus replays labelled logs of real servers.
        .target(
            name: "Properties",
            dependencies: [
                "Codecs", "Detections", "LocatedYAML", "LogRecords", "Patterns", "Responses", "SecurityEvents", "Vigil",
                "VigilModel",
            ], path: "Tests/Properties"),
        .testTarget(name: "PropertyTests", dependencies: ["Properties"]),
        .testTarget(name: "VigilModelTests", dependencies: ["VigilModel"]),
        .testTarget(name: "LogSourcesTests", dependencies: ["LogSources", "Codecs"]),
        .testTarget(name: "HTTPTransportTests", dependencies: ["HTTPTransport", "Codecs"]),
        .testTarget(name: "LogRecordsTests", dependencies: ["LogRecords", "VigilModel", "CScan"]),
        .testTarget(name: "HTTPListenerTests", dependencies: ["HTTPListener"]),
        .testTarget(name: "PatternsTests", dependencies: ["Patterns", "LocatedYAML", "VigilModel"]),
        .testTarget(
            name: "SecurityEventsTests",
            dependencies: ["SecurityEvents", "LogRecords", "Patterns", "VigilModel", "CWords"]),
        .testTarget(name: "DetectionsTests", dependencies: ["Detections", "Patterns", "VigilModel"]),
        .testTarget(name: "DeliveriesTests", dependencies: ["Deliveries", "VigilModel"]),
        .testTarget(
            name: "RuleExportTests",
            dependencies: ["RuleExport", "Patterns", "Detections", "VigilModel"], exclude: ["Golden"]),
        .testTarget(
            name: "ResponsesTests", dependencies: ["Responses", "VigilModel"], exclude: ["Golden"]),
        .testTarget(
            name: "EventStoreTests",
            dependencies: ["EventStore", "VigilModel", .product(name: "GRDB", package: "GRDB.swift")]),
        .testTarget(
            name: "VigilTests",
            dependencies: [
                "Vigil", "HTTPListener", "EventStore", "LogRecords", "LogSources", "Patterns", "Responses",
                "LocatedYAML", "SecurityEvents", "Detections", "VigilModel", "Codecs",
            ]),
        .testTarget(name: "CommandTests", dependencies: ["pgvigil"], exclude: ["Golden"]),
        // Real servers on the loopback interface.
        .testTarget(
            name: "LabTests", dependencies: ["pgvigil"], path: "Tests/Lab",
            exclude: [
                "beside.sh", "clients.py", "get-victorialogs.sh", "leash.py", "pgvigil-rules.yml", "pigsty-rows.py",
                "read-sigma.py", "receiver.py", "steps.py", "victorialogs.py",
            ]),
        .testTarget(name: "CorpusTests", dependencies: ["Vigil", "EventStore", "VigilModel"]),
    ]
)

for target in package.targets where ["regular", "executable", "test"].contains(target.type.rawValue) {
    if !["CScan", "CWords"].contains(target.name) { target.swiftSettings = strict }
}
