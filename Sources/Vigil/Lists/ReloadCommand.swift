import Foundation

/// Runs a program without a shell, within a time limit, and tells how it ended.
enum ReloadCommand {
    /// Seconds that it may take.
    static let limit = 10.0

    /// Runs it to its end and gives what it wrote to standard output. When it fails, the end of what it said is told.
    @discardableResult
    static func run(_ words: [String], input: String = "", limit: Double = ReloadCommand.limit) throws -> Data {
        guard let program = words.first else { return Data() }
        // Files, not pipes: nobody waits for what a child of it leaves open, and no buffer is full.
        let folder = FileManager.default.temporaryDirectory.appending(path: "pgvigil-run-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        } catch { throw ListProblem("\(program): no room for its output: \(error.localizedDescription)") }
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ["input", "output", "errors"].map { folder.appending(path: $0) }
        for (file, text) in zip(files, [input, "", ""]) { try Data(text.utf8).write(to: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = Array(words.dropFirst())
        process.environment = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        do { try process.run() } catch { throw ListProblem("\(program) cannot be run: \(error.localizedDescription)") }
        try wait(for: process, program, limit: limit)
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            let said = try files.dropFirst().map {
                String(decoding: try Data(contentsOf: $0).suffix(300), as: UTF8.self)
            }
            throw ListProblem("\(program) ended with code \(process.terminationStatus): \(said.joined())")
        }
        return try Data(contentsOf: files[1])
    }

    private static func wait(for process: Process, _ program: String, limit: Double) throws {
        let end = Date(timeIntervalSinceNow: limit)
        while process.isRunning, Date() < end { Thread.sleep(forTimeInterval: 0.01) }
        guard process.isRunning else { return }
        process.terminate()
        Thread.sleep(forTimeInterval: 0.2)
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        throw ListProblem("\(program) was ended after \(Int(limit)) s")
    }
}
