import Foundation

/// A server that was started, in the hands of a shell that stops it when its input ends: when the test says so, and also
/// when the test's process dies.
final class Child {
    private let process = Process()
    private let leash = Pipe()

    init(_ arguments: [String], signal: String, output: String, errors: String?, folder: URL) throws {
        let script = #"signal=$1; shift; "$@" </dev/null & pid=$!; cat; kill -s "$signal" $pid 2>/dev/null; wait $pid"#
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script, "child", signal] + arguments
        process.currentDirectoryURL = folder
        process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": Child.zone]
        process.standardInput = leash
        process.standardOutput = try Child.open(output)
        process.standardError = try Child.open(errors ?? output + ".errors")
        try process.run()
    }

    /// The zone that servers print local times in: not the machine's.
    static let zone = "America/New_York"

    var isRunning: Bool { process.isRunning }

    /// Stops it and waits for its end.
    func stop() {
        try? leash.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    private static func open(_ path: String) throws -> FileHandle {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    }
}
