import Foundation

/// Runs a program without a shell, within a time limit, and tells how it ended.
enum ReloadCommand {
    /// Seconds that it may take.
    static let limit = 10.0

    /// Runs it to its end. Standard input is empty; of what it says, the end is told when it fails.
    static func run(_ words: [String], limit: Double = ReloadCommand.limit) throws {
        guard let program = words.first else { return }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = Array(words.dropFirst())
        process.environment = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]
        process.standardInput = FileHandle.nullDevice
        // A file, not a pipe: nobody waits for what a child of it leaves open.
        let talk = FileManager.default.temporaryDirectory.appending(path: "pgvigil-reload-\(UUID().uuidString)")
        guard FileManager.default.createFile(atPath: talk.path, contents: nil, attributes: [.posixPermissions: 0o600])
        else { throw ListProblem("\(program): no room for its output in \(talk.deletingLastPathComponent().path)") }
        defer { try? FileManager.default.removeItem(at: talk) }
        let output = try FileHandle(forWritingTo: talk)
        defer { try? output.close() }
        process.standardOutput = output
        process.standardError = output
        do { try process.run() } catch { throw ListProblem("\(program) cannot be run: \(error.localizedDescription)") }
        let end = Date(timeIntervalSinceNow: limit)
        while process.isRunning, Date() < end { Thread.sleep(forTimeInterval: 0.01) }
        if process.isRunning {
            process.terminate()
            Thread.sleep(forTimeInterval: 0.2)
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            process.waitUntilExit()
            throw ListProblem("\(program) was ended after \(Int(limit)) s")
        }
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            let said = String(
                decoding: (FileManager.default.contents(atPath: talk.path) ?? Data()).suffix(300), as: UTF8.self)
            throw ListProblem("\(program) ended with code \(process.terminationStatus): \(said)")
        }
    }
}
