import Foundation
import Responses
import VigilModel

/// One file of `blocklists`: written when the bans have changed, and its reader told until that has worked.
struct KeptList {
    let file: BlockListFile
    private let options: BlockListOptions
    /// Bans that the file tells of; nil: not written yet.
    private var written: [Ban]?
    /// Its reader has not been told of what stands in it.
    private var isWaiting: Bool
    private var triesAt = Date.distantPast
    private var pause = 1.0
    /// What went wrong last, until it works again.
    private(set) var problem: String?

    /// fail2ban's file is a log, and begins anew when it has grown to so many bytes.
    private static let logLimit = 8 << 20

    init(_ file: BlockListFile, _ options: BlockListOptions) {
        self.file = file
        var options = options
        if let acl = file.aclFile { options.aclFile = acl }
        self.options = options
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

    /// Brings the file up to a list.
    mutating func update(_ list: BlockList, now: Date = Date()) -> Outcome {
        do {
            // Whoever was freed is free in the file at once, also while its reader cannot be told.
            if try write(list) { isWaiting = true }
        } catch { return failed(error) }
        guard isWaiting, now >= triesAt else { return .nothing }
        do {
            if !file.reload.isEmpty { try ReloadCommand.run(file.reload) }
        } catch {
            triesAt = now.addingTimeInterval(pause)
            pause = min(pause * 2, 300)
            return failed(error)
        }
        isWaiting = false
        pause = 1
        defer { problem = nil }
        return problem == nil ? .done(bans: list.bans.count) : .recovered
    }

    private mutating func failed(_ error: any Error) -> Outcome {
        let text = "\(file.path): \(Shown.text("\(error)", limit: 500))"
        defer { problem = text }
        return problem == nil ? .failed(text) : .nothing
    }

    /// True when something was written.
    private mutating func write(_ list: BlockList) throws -> Bool {
        if file.format == .haproxyRuntime, HAProxySocket.isSocket(file.path) {
            // HAProxy may have been restarted, and have forgotten all: that it reads its own file again is up to that.
            guard written != list.bans else { return false }
            try HAProxySocket(path: file.path).swap(list, aclFile: options.aclFile)
            written = list.bans
            return true
        }
        if file.format.tellsTimeLeft, written == list.bans, access(file.path, F_OK) == 0 { return false }
        let text = file.format.render(list, options)
        let isNew = file.format == .fail2ban ? try log(text) : try AtomicFile.write(text, to: file.path)
        written = list.bans
        return isNew
    }

    /// What the log does not end with about an address is added to it: a reader that follows it sees only what is new.
    private func log(_ text: String) throws -> Bool {
        guard let bytes = FileManager.default.contents(atPath: file.path), bytes.count < KeptList.logLimit else {
            return try AtomicFile.write(text, to: file.path)
        }
        let last = KeptList.lastLines(of: String(decoding: bytes, as: UTF8.self))
        let new = text.split(separator: "\n").filter { line in KeptList.subject(line).map { last[$0] != line } ?? false
        }
        guard !new.isEmpty else { return false }
        // A line that was cut off by a full disk must not swallow the next.
        let start = bytes.isEmpty || bytes.last == 10 ? "" : "\n"
        try AtomicFile.append(start + new.map { $0 + "\n" }.joined(), to: file.path)
        return true
    }

    /// The last line about each address or network of fail2ban's log: that one counts.
    static func lastLines(of log: String) -> [String: Substring] {
        var last: [String: Substring] = [:]
        for line in log.split(separator: "\n") {
            if let subject = subject(line) { last[subject] = line }
        }
        return last
    }

    /// Whom a line of fail2ban's log is about: `… Ban 203.0.113.66 … net=203.0.113.0/24`.
    private static func subject(_ line: Substring) -> String? {
        let words = line.split(separator: " ")
        guard words.count > 5 else { return nil }
        return words[5] + (words.last { $0.hasPrefix("net=") }.map { " \($0)" } ?? "")
    }
}
