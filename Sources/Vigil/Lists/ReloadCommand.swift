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
        let child = try start(words, files: files.map(\.path))
        let status = try wait(for: child, program, limit: limit)
        guard status == 0 else {
            let said = try files.dropFirst().map {
                String(decoding: try Data(contentsOf: $0).suffix(300), as: UTF8.self)
            }
            let end = status & 0x7F == 0 ? "code \(status >> 8 & 0xFF)" : "signal \(status & 0x7F)"
            throw ListProblem("\(program) ended with \(end): \(said.joined())")
        }
        return try Data(contentsOf: files[1])
    }

    /// Starts it in a group of its own, with no signal held back and nothing open but the three files. Foundation's
    /// Process keeps those open for as long as it lives, which is for good on a thread without a run loop.
    private static func start(_ words: [String], files: [String]) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, files[0], O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, files[1], O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, files[2], O_WRONLY, 0)
        // One that is closed by then is no error.
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for file in open.compactMap({ Int32($0) }) where file > 2 { posix_spawn_file_actions_addclose(&actions, file) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]
        var (arguments, variables) = (words.map { strdup($0) }, environment.map { strdup($0) })
        defer { for text in arguments + variables { free(text) } }
        arguments.append(nil)
        variables.append(nil)
        var child: pid_t = 0
        let problem = posix_spawn(&child, words[0], &actions, &attributes, arguments, variables)
        guard problem == 0 else {
            throw ListProblem("\(words[0]) cannot be run: \(String(cString: strerror(problem)))")
        }
        return child
    }

    /// How it ended, as wait(2) tells. Past its time it is ended, with what it started.
    private static func wait(for child: pid_t, _ program: String, limit: Double) throws -> Int32 {
        var status: Int32 = 0
        func hasEnded(within seconds: Double) -> Bool {
            // No clock on the wall: that may be set meanwhile.
            let start = ContinuousClock.now
            repeat {
                let found = waitpid(child, &status, WNOHANG)
                if found == child || (found < 0 && errno != EINTR) { return true }
                Thread.sleep(forTimeInterval: 0.01)
            } while ContinuousClock.now - start < .seconds(seconds)
            return false
        }
        if hasEnded(within: limit) { return status }
        kill(-child, SIGTERM)
        let isGone = hasEnded(within: 0.2)
        // What it started may be there still.
        kill(-child, SIGKILL)
        if !isGone { _ = hasEnded(within: 5) }
        throw ListProblem("\(program) was ended after \(Int(limit)) s")
    }
}
