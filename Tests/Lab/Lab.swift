import Foundation

/// A place for servers and stores; gone with the test, and so are the servers.
final class Lab {
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    let folder: URL
    private(set) var children: [Child] = []
    static let isRoot = getuid() == 0

    init() throws {
        folder = URL(fileURLWithPath: "/tmp/pgvigil-lab-\(UUID().uuidString.prefix(8))")
        try makeFolder("")
        // The servers refuse to run as root.
        if Lab.isRoot { _ = try Lab.run(["chown", "postgres:postgres", folder.path]) }
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(at: folder)
    }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    /// Makes a folder that servers can look into: a store being made elsewhere in this process narrows its umask.
    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
        chmod(path(name), 0o755)
    }

    func write(_ text: String, to name: String) throws {
        try text.write(toFile: path(name), atomically: false, encoding: .utf8)
        chmod(path(name), 0o644)
    }

    func read(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path(name)) ?? Data(), as: UTF8.self)
    }

    /// Bytes in a file; 0 when it is not there.
    func size(_ name: String) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: path(name))[.size] as? Int) ?? 0
    }

    /// Starts a server, as the user postgres.
    func start(_ arguments: [String], signal: String = "TERM", output: String, errors: String? = nil) throws -> Child {
        let child = try Child(
            Lab.asServer(arguments), signal: signal, output: path(output), errors: errors.map(path), folder: folder)
        children.append(child)
        return child
    }

    /// Stops the servers, the last started first.
    func stop() {
        for child in children.reversed() { child.stop() }
        children = []
    }

    static func asServer(_ arguments: [String]) -> [String] {
        isRoot ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] + arguments : arguments
    }

    /// Runs a command to its end and gives its standard output.
    static func run(_ arguments: [String], input: Data = Data(), in folder: URL? = nil) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        if let folder { process.currentDirectoryURL = folder }
        let (feed, output, errors) = (Pipe(), Pipe(), Pipe())
        process.standardInput = feed
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        try feed.fileHandleForWriting.write(contentsOf: input)
        try feed.fileHandleForWriting.close()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        let talk = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Problem(description: "\(arguments.prefix(8)): \(String(decoding: talk, as: UTF8.self).suffix(2000))")
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Waits until a condition holds.
    static func until(_ what: @autoclosure () -> String, seconds: Double = 60, _ condition: () throws -> Bool) throws {
        let end = Date(timeIntervalSinceNow: seconds)
        while try !condition() {
            guard Date() < end else { throw Problem(description: "in \(seconds) s not: \(what())") }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }
}
