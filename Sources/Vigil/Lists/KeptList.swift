import EventStore
import Foundation
import Responses
import VigilModel

/// One file of `blocklists`: written when the bans have changed, and its reader told until that has worked.
struct KeptList {
    let file: BlockListFile
    private let options: BlockListOptions
    /// How it stands, as it is kept in the store.
    private(set) var state: ListState
    /// Bans that the file tells of; nil: not written yet.
    private var written: [Ban]?
    /// The file as it was left: another stamp is another's work.
    private var stamp: FileStamp?
    /// The log of fail2ban, as far as it stands in the file.
    private var log = Fail2banLog()
    /// Its reader has not been told of what stands in it.
    private(set) var isWaiting: Bool
    private var (writesAt, triesAt) = (Date.distantPast, Date.distantPast)
    private var (writePause, pause) = (KeptList.firstPause, 1.0)
    /// When it is looked at in any case, though neither bans nor file have changed.
    private var looksAt = Date.distantPast
    /// How often the file was read, for tests.
    var reads: Int { log.reads }

    /// What went wrong last, until it works again.
    var problem: String? { state.problem }

    private static let firstPause = 0.5, longestWritePause = 5.0, longestPause = 300.0
    /// Lines of fail2ban's log are renewed, and what HAProxy holds is read back, so often at most.
    private static let lookInterval = 5.0

    init(_ file: BlockListFile, _ options: BlockListOptions, state: ListState? = nil) {
        self.file = file
        var options = options
        if let acl = file.aclFile { options.aclFile = acl }
        self.options = options
        self.state = state ?? ListState(path: file.name, format: file.format.rawValue)
        // Whether it was told before this start nobody knows.
        isWaiting = !file.reload.isEmpty
    }

    /// What became of an update.
    enum Outcome: Equatable {
        case nothing
        /// Written, and its reader told.
        case done(bans: Int)
        /// Something failed; it is tried again. Told once.
        case failed(String)
        /// What failed works again.
        case recovered
    }

    /// Brings the file up to a list. `isSame` says that it is the list of the last time.
    mutating func update(_ list: BlockList, isSame: Bool = false, now: Date = Date()) -> Outcome {
        guard now >= writesAt || now < writesAt.addingTimeInterval(-KeptList.longestWritePause) else { return .nothing }
        do {
            // Whoever was freed is free in the file at once, also while its reader cannot be told.
            let isNew = try write(list, isSame: isSame, now: now)
            if isNew { isWaiting = true }
            // What somebody wrote just so before is ours from now on.
            if isNew || state.written == nil {
                state.bans = list.bans.count
                state.written = LogTime(milliseconds: Int64(now.timeIntervalSince1970 * 1000))
            }
            writePause = KeptList.firstPause
        } catch {
            // What stands there now nobody knows.
            (written, stamp, looksAt) = (nil, nil, .distantPast)
            writesAt = now.addingTimeInterval(writePause)
            writePause = min(writePause * 2, KeptList.longestWritePause)
            return failed(error, now)
        }
        if isWaiting {
            // A clock that was set back must not make it wait for years.
            guard now >= triesAt || now < triesAt.addingTimeInterval(-KeptList.longestPause) else { return .nothing }
            do {
                if !file.reload.isEmpty {
                    try ReloadCommand.run(file.reload)
                    state.told = LogTime(milliseconds: Int64(now.timeIntervalSince1970 * 1000))
                }
            } catch {
                triesAt = now.addingTimeInterval(pause)
                pause = min(pause * 2, KeptList.longestPause)
                return failed(error, now)
            }
            isWaiting = false
            pause = 1
            if problem == nil { return .done(bans: list.bans.count) }
        }
        guard problem != nil else { return .nothing }
        (state.failing, state.problem) = (nil, nil)
        return .recovered
    }

    private mutating func failed(_ error: any Error, _ now: Date) -> Outcome {
        let text = "\(Shown.text(file.path)): \(Shown.text("\(error)", limit: 500))"
        guard problem == nil else { return .nothing }
        (state.failing, state.problem) = (LogTime(milliseconds: Int64(now.timeIntervalSince1970 * 1000)), text)
        return .failed(text)
    }

    /// True when something was written.
    private mutating func write(_ list: BlockList, isSame: Bool, now: Date) throws -> Bool {
        let isDue = now >= looksAt || now < looksAt.addingTimeInterval(-KeptList.lookInterval)
        if file.format == .haproxyRuntime, HAProxySocket.isSocket(file.path) {
            return try swap(list, isDue: isDue, isSame: isSame, now: now)
        }
        let found = FileStamp(file.path)
        let isOurs = found != nil && found == stamp
        if isOurs, isSame, file.format != .fail2ban || !isDue { return false }
        if file.format.tellsTimeLeft, isOurs, written == list.bans { return false }
        looksAt = now.addingTimeInterval(KeptList.lookInterval)
        if stamp == nil { AtomicFile.clean(file.path) }
        let text = file.format.render(list, options)
        let isNew: Bool
        if file.format == .fail2ban {
            isNew = try log.update(text, path: file.path, isOurs: isOurs)
        } else {
            isNew = try AtomicFile.write(text, to: file.path)
            state.hash = KeptList.hash(Data(text.utf8))
        }
        written = list.bans
        stamp = FileStamp(file.path)
        return isNew
    }

    /// HAProxy may have been started anew, or told something else by others: what it holds is read back.
    private mutating func swap(_ list: BlockList, isDue: Bool, isSame: Bool, now: Date) throws -> Bool {
        guard isDue || !isSame && written != list.bans else { return false }
        looksAt = now.addingTimeInterval(KeptList.lookInterval)
        let socket = HAProxySocket(path: file.path)
        let isThere = try socket.blocks(ofACL: options.aclFile) == Set(list.bans.map(\.cidr))
        if !isThere { try socket.swap(list, aclFile: options.aclFile) }
        written = list.bans
        return !isThere
    }

    // MARK: - Leaving a file

    /// Whether what stands in the file is what was last written to it by pgvigil.
    func isOurs() throws -> Bool {
        if file.format == .haproxyRuntime, HAProxySocket.isSocket(file.path) { return true }
        guard let content = try FilePlace(file.path).content() else { return false }
        return file.format == .fail2ban || KeptList.hash(content) == state.hash
    }

    private static func hash(_ content: Data) -> String { String(Fingerprint.sha256(content).prefix(32)) }
}
