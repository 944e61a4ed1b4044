import EventStore
import LogRecords
import LogSources
import VigilModel

/// The files that a replay reads, looked at before anything is written.
struct ReplayInputs {
    /// A file to read.
    struct File: Sendable {
        var path: String
        var timezone: String?
        var identity: FileIdentity
        /// A longer file of the same run starts with the same bytes: that one feeds the counters.
        var isCopy = false
        /// A stream is opened once; a file again when its turn comes, so that a thousand files do not stay open.
        var stream: LogFile?

        func open() throws -> LogFile { try stream ?? LogFile(path: path) }
    }

    private(set) var files: [File] = []
    /// Ordinary files with nothing in them.
    private(set) var empty = 0
    /// Files of folders and patterns that hold no log that can be read, with the reason.
    private(set) var passedOver: [(path: String, reason: String)] = []

    /// With a format given, named files are taken for it without a look. Throws `SourceProblem` when a named file cannot
    /// be read, or when nothing is there to read.
    init(_ paths: [String], format: LogFormat?, configuration: Configuration) throws {
        for input in try InputPaths.expand(paths) {
            do { try add(input, isTrusted: input.isNamed && format != nil, configuration) } catch let problem
                as SourceProblem
            {
                if input.isNamed { throw problem }
                passedOver.append((input.path, problem.reason))
            }
        }
        markCopies()
        if files.isEmpty && empty == 0 {
            throw SourceProblem(
                path: paths.joined(separator: " "),
                reason: "no csvlog here"
                    + passedOver.prefix(5).map { "\n  \(Shown.text($0.path)): \($0.reason)" }.joined()
                    + (passedOver.count > 5 ? "\n  … and \(passedOver.count - 5) more" : ""),
                hint: "set log_destination = 'csvlog', or name the csv files of the server's log_directory")
        }
    }

    private mutating func markCopies() {
        let byHead = Dictionary(grouping: files.indices) { files[$0].identity.fingerprint(FileIdentity.headLength) }
        for alike in byHead.values where alike.count > 1 {
            let longest = alike.max { files[$0].identity.size < files[$1].identity.size }
            for index in alike where index != longest { files[index].isCopy = true }
        }
    }

    private mutating func add(_ input: InputPath, isTrusted: Bool, _ configuration: Configuration) throws {
        let known = configuration.source(for: input.path)
        let file = try LogFile(path: input.path)
        if let inode = file.inode,
            let first = files.first(where: { $0.identity.inode == inode && $0.identity.device == file.device })
        {
            passedOver.append((input.path, "the same file as \(first.path)"))
            return
        }
        let head = try file.head(LogFormat.sniffLength)
        if head.isEmpty {
            empty += 1
            return
        }
        guard isTrusted || LogFormat.detect(head, path: input.path) != nil else {
            throw SourceProblem(
                path: input.path, reason: "this is \(LogFormat.describe(head))",
                hint:
                    "pgvigil reads PostgreSQL's csvlog (log_destination = 'csvlog'); --format csvlog reads it all the same"
            )
        }
        let identity = FileIdentity(
            path: input.path, device: file.device, inode: file.inode, size: file.size ?? .max,
            head: Array(head.prefix(FileIdentity.headLength)), format: LogFormat.csvlog.rawValue,
            cluster: known?.cluster, instance: known?.instance)
        files.append(
            File(
                path: input.path, timezone: known?.timezone, identity: identity, stream: file.isRegular ? nil : file))
    }
}
