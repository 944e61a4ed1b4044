import Foundation
import Responses

/// The file of fail2ban's: a log, to which lines are added. A reader that follows it sees only what is new. What stands in
/// it is remembered, and read again only when somebody else has changed it.
struct Fail2banLog {
    /// The last line about each address or network.
    private var last: [String: Substring] = [:]
    private var length = 0
    private var endsLine = true
    private var isLost = false
    /// How often the file was read.
    private(set) var reads = 0

    /// It begins anew when it has grown to so many bytes.
    private static let limit = 8 << 20

    /// Adds the lines that the log does not end with about somebody; false when there are none. `isOurs` says that the
    /// file is as it was left.
    mutating func update(_ text: String, path: String, isOurs: Bool) throws -> Bool {
        if !isOurs || isLost {
            isLost = false
            guard let bytes = try FilePlace(path).content() else { return try restart(text, path) }
            reads += 1
            last = Fail2banLog.lastLines(of: String(decoding: bytes, as: UTF8.self))
            (length, endsLine) = (bytes.count, bytes.isEmpty || bytes.last == 10)
        }
        guard length < max(Fail2banLog.limit, 2 * text.utf8.count) else { return try restart(text, path) }
        let new = text.split(separator: "\n").filter { line in
            Fail2banLog.subject(line).map { last[$0] != line } ?? false
        }
        guard !new.isEmpty else { return false }
        // A line that was cut off by a full disk must not swallow the next.
        let added = (endsLine ? "" : "\n") + new.map { $0 + "\n" }.joined()
        do {
            guard try AtomicFile.append(added, to: path) else { return try restart(text, path) }
        } catch {
            // How much of it was written nobody knows.
            isLost = true
            throw error
        }
        for line in new { if let subject = Fail2banLog.subject(line) { last[subject] = line } }
        (length, endsLine) = (length + added.utf8.count, true)
        return true
    }

    private mutating func restart(_ text: String, _ path: String) throws -> Bool {
        let isNew = try AtomicFile.write(text, to: path)
        last = Fail2banLog.lastLines(of: text)
        (length, endsLine) = (text.utf8.count, true)
        return isNew
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
