// swift-tools-version: 6.2
import PackageDescription

// A package of its own: who uses pgvigil resolves nothing of it. `make fuzz` builds it with AddressSanitizer and the
// coverage that libFuzzer steers by.
let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "pgvigil", path: "../..")],
    targets: [
        .executableTarget(
            name: "fuzz",
            dependencies: [.product(name: "Properties", package: "pgvigil")],
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)])
    ]
)
