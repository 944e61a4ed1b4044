import EventStore
import LogRecords
import LogSources
import VigilModel

/// The files that a replay reads, looked at before anything is written.
struct ReplayInputs {
    /// A file to read.
    struct File: Sendable {
        var path: String
        var profile: SourceProfile
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
            do { try add(input, format: input.isNamed ? format : nil, configuration) } catch let problem
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
                reason: "no log that can be read is here"
                    + passedOver.prefix(5).map { "\n  \(Shown.text($0.path)): \($0.reason)" }.joined()
                    + (passedOver.count > 5 ? "\n  … and \(passedOver.count - 5) more" : ""),
                hint: "name the files of the server's log_directory; --format says what they are")
        }
    }

    private mutating func markCopies() {
        let byHead = Dictionary(grouping: files.indices) {
            files[$0].profile.identity.fingerprint(FileIdentity.headLength)
        }
        for alike in byHead.values where alike.count > 1 {
            let longest = alike.max { files[$0].profile.identity.size < files[$1].profile.identity.size }
            for index in alike where index != longest { files[index].isCopy = true }
        }
    }

    private mutating func add(_ input: InputPath, format: LogFormat?, _ configuration: Configuration) throws {
        let file = try LogFile(path: input.path)
        if let inode = file.inode,
            let first = files.first(where: {
                $0.profile.identity.inode == inode && $0.profile.identity.device == file.device
            })
        {
            passedOver.append((input.path, "the same file as \(first.path)"))
            return
        }
        let head = try file.head(LogFormat.sniffLength)
        if head.isEmpty {
            empty += 1
            return
        }
        guard let profile = SourceProfile(file, head: head, format: format, configuration: configuration) else {
            throw SourceProblem(
                path: input.path, reason: "this is \(LogFormat.describe(head))",
                hint: "--format says what it is: \(LogFormat.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        files.append(File(path: input.path, profile: profile, stream: file.isRegular ? nil : file))
    }
}
