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
    private var isWaiting = false
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
        guard now >= triesAt else { return .nothing }
        do {
            if try write(list) { isWaiting = true }
            guard isWaiting else { return .nothing }
            if !file.reload.isEmpty { try ReloadCommand.run(file.reload) }
            isWaiting = false
            pause = 1
            defer { problem = nil }
            return problem == nil ? .done(bans: list.bans.count) : .recovered
        } catch {
            triesAt = Date(timeIntervalSinceNow: pause)
            pause = min(pause * 2, 300)
            let text = "\(file.path): \(Shown.text("\(error)", limit: 500))"
            defer { problem = text }
            return problem == nil ? .failed(text) : .nothing
        }
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
        var last: [Substring: Substring] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            if let address = KeptList.address(line) { last[address] = line }
        }
        let new = text.split(separator: "\n").filter { line in KeptList.address(line).map { last[$0] != line } ?? false
        }
        guard !new.isEmpty else { return false }
        // A line that was cut off by a full disk must not swallow the next.
        let start = bytes.isEmpty || bytes.last == 10 ? "" : "\n"
        try AtomicFile.append(start + new.map { $0 + "\n" }.joined(), to: file.path)
        return true
    }

    /// Whom a line of fail2ban's log is about: `… Ban 203.0.113.66 …`.
    static func address(_ line: Substring) -> Substring? {
        let words = line.split(separator: " ")
        return words.count > 5 ? words[5] : nil
    }
}
