import Codecs
import EventStore
import LogRecords
import LogSources
import VigilModel

/// The files that a replay reads, looked at before anything is written, in the order of their first records.
struct ReplayInputs {
    /// A file to read.
    struct File: Sendable {
        var path: String
        var isNamed: Bool
        var profile: SourceProfile
        /// A longer file of the same run starts with the same bytes: that one feeds the counters.
        var isCopy = false
        /// A stream is opened once; a file again when its turn comes, so that a thousand files do not stay open.
        var stream: LogFile?

        func open() throws -> LogFile { try stream ?? LogFile(path: path) }

        /// Bytes that are in it, unpacked.
        func length() -> Int64 {
            guard profile.isArchive, stream == nil, let file = try? open() else { return profile.identity.size }
            return file.unpackedLength()
        }
    }

    private(set) var files: [File] = []
    /// Ordinary files with nothing in them.
    private(set) var empty = 0
    /// Files of folders and patterns that are not read, with the reason.
    private(set) var passedOver: [(path: String, reason: String)] = []
    /// Files that hold what a richer one holds, which is read.
    private(set) var sameLogs: [(path: String, richer: String)] = []

    /// With a format given, named files are taken for it without a look. Throws `SourceProblem` when a named file cannot
    /// be read, or when nothing is there to read.
    init(_ paths: [String], format: LogFormat?, configuration: Configuration) throws {
        for input in try InputPaths.expand(paths) {
            do { try add(input, format: input.isNamed ? format : nil, configuration) } catch let problem
                as SourceProblem
            {
                if input.isNamed { throw problem }
                passedOver.append((input.path, problem.reason))
            }
        }
        dropSameLogs()
        sort()
        markCopies()
        if files.isEmpty && empty == 0 {
            throw SourceProblem(
                path: paths.joined(separator: " "),
                reason: "no log that can be read is here"
                    + passedOver.prefix(5).map { "\n  \(Shown.text($0.path)): \($0.reason)" }.joined()
                    + (passedOver.count > 5 ? "\n  … and \(passedOver.count - 5) more" : ""),
                hint: "name the files of the server's log_directory; --format says what they are")
        }
    }

    /// Leaves out what another file holds in a richer form.
    private mutating func dropSameLogs() {
        let same = SameLog.find(files.map { $0.profile.candidate(isNamed: $0.isNamed) })
        for (poor, rich) in same.sorted(by: { $0.key < $1.key }) {
            sameLogs.append((files[poor].path, files[rich].path))
        }
        files = files.indices.filter { same[$0] == nil }.map { files[$0] }
    }

    /// By first record, never by name or argument.
    private mutating func sort() {
        func key(_ file: File) -> (LogTime, String, String) {
            (
                file.profile.start ?? .distantFuture, file.profile.identity.fingerprint(FileIdentity.headLength),
                file.path
            )
        }
        files = files.map { (key($0), $0) }.sorted { $0.0 < $1.0 }.map(\.1)
    }

    private mutating func markCopies() {
        let byHead = Dictionary(grouping: files.indices) {
            files[$0].profile.identity.fingerprint(FileIdentity.headLength)
        }
        for alike in byHead.values where alike.count > 1 {
            let lengths = alike.map { files[$0].length() }
            let longest = lengths.indices.max { (lengths[$0], -$0) < (lengths[$1], -$1) }
            for (at, index) in alike.enumerated() where at != longest { files[index].isCopy = true }
        }
    }

    private mutating func add(_ input: InputPath, format: LogFormat?, _ configuration: Configuration) throws {
        let file = try LogFile(path: input.path)
        if let inode = file.inode,
            let first = files.firstIndex(where: {
                $0.profile.identity.inode == inode && $0.profile.identity.device == file.device
            })
        {
            if input.isNamed { files[first].isNamed = true }
            passedOver.append((input.path, "the same file as \(Shown.text(files[first].path))"))
            return
        }
        let head = try file.head(LogFormat.sniffLength)
        if head.isEmpty {
            empty += 1
            return
        }
        guard let profile = SourceProfile(file, head: head, format: format, configuration: configuration) else {
            if let container = Container.describe(head) {
                throw SourceProblem(
                    path: input.path, reason: "this is \(container); only what is packed alone is unpacked here",
                    hint: "unpack it and name the folder")
            }
            throw SourceProblem(
                path: input.path, reason: "this is \(LogFormat.describe(head))",
                hint: "--format says what it is: \(LogFormat.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        files.append(
            File(path: input.path, isNamed: input.isNamed, profile: profile, stream: file.isRegular ? nil : file))
    }
}
