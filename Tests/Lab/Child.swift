import Foundation

/// A server that was started, in the hands of `leash.py`, which stops it when its input ends: when the test says so, and
/// also when the test's process dies.
final class Child {
    private let process = Process()
    private let hold = Pipe()

    init(_ arguments: [String], signal: String, output: String, errors: String?, folder: URL) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", Child.leash.path, signal] + arguments
        process.currentDirectoryURL = folder
        process.environment = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
            "TZ": Child.zone,
        ]
        process.standardInput = hold
        process.standardOutput = try Child.open(output)
        process.standardError = try Child.open(errors ?? output + ".errors")
        try process.run()
    }

    /// The zone that servers print local times in: not the machine's.
    static let zone = "America/New_York"

    private static let leash = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "leash.py")

    /// Stops it, waits for its end and gives its exit code.
    @discardableResult
    func stop() -> Int32 {
        try? hold.fileHandleForWriting.close()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private static func open(_ path: String) throws -> FileHandle {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    }
}
