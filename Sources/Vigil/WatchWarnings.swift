import EventStore
import Foundation
import VigilModel

/// What an operator should know of reading itself, for our own log: bytes that are no record, and logs that are written
/// faster than they are read. Each is said once, and again when a minute later it is worse.
struct WatchWarnings {
    /// What was found in a log since it was told of.
    private struct Findings {
        var count = 0
        var bytes: Int64 = 0
        var first: Unread?
        var toldAt: Date?
    }

    private var unread: [String: Findings] = [:]
    private var behindSince: Date?
    private var toldBehind: Date?

    /// Seconds between two lines about the same.
    private static let pause = 60.0
    /// Reading that has not come to the end of what is there for so long is behind.
    private static let patience = 10.0

    /// Takes what was read of a file.
    mutating func note(_ spans: [Unread], of path: String) {
        let found = spans.filter { !$0.isPending }
        guard let first = found.first else { return }
        // A folder of broken files must not fill memory.
        if unread.count >= 10_000, unread[path] == nil { return }
        var findings = unread[path] ?? Findings()
        findings.first = findings.first ?? first
        findings.count += found.count
        findings.bytes += found.reduce(0) { $0 + $1.length }
        unread[path] = findings
    }

    /// Lines that are due about bytes that are no record.
    mutating func takeUnread(at now: Date = Date()) -> [String] {
        guard !unread.isEmpty else { return [] }
        var lines: [String] = []
        for (path, findings) in unread.sorted(by: { $0.key < $1.key }) {
            if let told = findings.toldAt, now.timeIntervalSince(told) < WatchWarnings.pause { continue }
            guard let first = findings.first else {
                unread[path] = nil
                continue
            }
            let places = findings.count == 1 ? "one place" : "\(findings.count) places"
            lines.append(
                "warning: unread \(Shown.text(path)):byte \(first.offset): \(first.reason); \(places), "
                    + "\(findings.bytes) bytes\n  hint: `pgvigil status` counts them, "
                    + "`pgvigil explain` shows how a line is read")
            unread[path] = Findings(toldAt: now)
        }
        return lines
    }

    /// Takes that all files were read to their ends; gives a line when they had not been for long.
    mutating func caughtUp(at now: Date = Date()) -> String? {
        defer { (behindSince, toldBehind) = (nil, nil) }
        guard toldBehind != nil, let since = behindSince else { return nil }
        return "caught up with the logs after \(Int(now.timeIntervalSince(since))) s"
    }

    /// Takes that there is more to read; gives a line when that has been so for long. `backlog` tells how many bytes.
    mutating func isBehind(at now: Date = Date(), backlog: () -> Int64) -> String? {
        let since = behindSince ?? now
        behindSince = since
        guard now.timeIntervalSince(since) >= WatchWarnings.patience,
            toldBehind.map({ now.timeIntervalSince($0) >= WatchWarnings.pause }) ?? true
        else { return nil }
        toldBehind = now
        return "warning: behind the logs for \(Int(now.timeIntervalSince(since))) s, "
            + "\(backlog() / 1_000_000) MB still to read"
    }
}
