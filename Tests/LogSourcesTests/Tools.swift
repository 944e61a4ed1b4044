import Codecs
import Foundation

@testable import LogSources

/// The tools that pack logs, and a folder to pack in; gone with the test.
final class Packing {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: folder.appending(path: name))
        return folder.appending(path: name).path
    }

    /// What the tool makes of the bytes.
    func pack(_ bytes: [UInt8], _ compression: Compression) throws -> [UInt8] {
        try run(compression, ["-q", "-c"], write("in-\(UUID().uuidString)", bytes))
    }

    /// What the tool gets out of a packed file, whole or not.
    func unpack(_ path: String, _ compression: Compression) throws -> [UInt8] {
        try run(compression, ["-q", "-d", "-c"], path)
    }

    private func run(_ compression: Compression, _ arguments: [String], _ path: String) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [compression.rawValue] + arguments
        process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return [UInt8](output)
    }
}

/// Log-like text that does not pack to nothing.
func text(_ size: Int, seed: UInt64 = 7) -> [UInt8] {
    var random = Numbers(seed)
    var result: [UInt8] = []
    while result.count < size {
        result += Array("2026-03-02 10:00:00.\(random.next() % 1000) UTC,\"bob\",\(random.next()),LOG\n".utf8)
    }
    return Array(result.prefix(size))
}

/// Compares in one step: a test that failed on two long arrays would look for their differences for hours.
func isSame(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool { left.elementsEqual(right) }

/// The same numbers for the same seed (splitmix64).
struct Numbers: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

extension LogFile {
    /// All that can be read in pieces of a size, and what ended it.
    func readAll(_ piece: Int = 100_000) -> (bytes: [UInt8], problem: (any Error)?) {
        var result: [UInt8] = []
        var block = [UInt8](repeating: 0, count: piece)
        do {
            while true {
                let count = try block.withUnsafeMutableBytes { try read(into: $0) }
                if count == 0 { return (result, nil) }
                result += block.prefix(count)
            }
        } catch { return (result, error) }
    }
}
