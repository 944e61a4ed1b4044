import Foundation
import HTTPListener
import VigilModel

/// Whether `watch` works, in the words of probes: `/healthz` asks whether it should be started anew, `/readyz` whether it
/// does what it is there for.
struct HealthReport {
    /// One thing that was looked at.
    struct Check {
        let name: String
        let isGood: Bool
        let reason: String
    }

    private let counts: WatchMeter.Counts
    private let now: Date

    /// More than this, and longer behind than this, is a backlog.
    private static let backlogBytes: Int64 = 64 << 20
    private static let backlogSeconds = 300.0
    /// Without so many bytes the next commit may fail.
    private static let roomBytes: UInt64 = 16 << 20

    init(_ counts: WatchMeter.Counts, now: Date = Date()) {
        self.counts = counts
        self.now = now
    }

    /// The loop went on in the time that what it does may take.
    var alive: [Check] {
        let quiet = now.timeIntervalSince(counts.turnedAt)
        return [
            Check(
                name: "loop", isGood: quiet <= counts.phase.patience,
                reason:
                    "\(counts.phase.rawValue), went on \(Int(quiet)) s ago, may take \(Int(counts.phase.patience)) s")
        ]
    }

    /// It runs, the store can be written, something is read, and it is not far behind.
    func ready(store: String) -> [Check] {
        var checks = alive
        checks.append(
            Check(
                name: "running", isGood: counts.isRunning,
                reason: counts.isRunning ? "follows logs" : "not yet, or no more"
            ))
        checks.append(HealthReport.writable(store))
        let down = counts.sources.filter { !$0.value.isUp }.keys.sorted()
        let up = counts.sources.count - down.count
        checks.append(
            Check(
                name: "sources", isGood: up > 0,
                reason: "\(up) of \(counts.sources.count) can be read"
                    + (down.isEmpty ? "" : ": not \(down.prefix(5).joined(separator: ", "))")))
        let waiting = counts.files.reduce(0) { $0 + WatchMetrics.backlog($1) }
        let last = counts.files.filter { WatchMetrics.backlog($0) > 0 }.compactMap(\.lastRecord).min()
        let behind = last.map { now.timeIntervalSince1970 - Double($0.milliseconds) / 1000 } ?? 0
        checks.append(
            Check(
                name: "backlog",
                isGood: waiting <= HealthReport.backlogBytes || behind <= HealthReport.backlogSeconds,
                reason: "\(waiting) bytes to read"))
        return checks
    }

    private static func writable(_ path: String) -> Check {
        guard access(path, W_OK) == 0 else {
            return Check(name: "store", isGood: false, reason: String(cString: strerror(errno)))
        }
        var room = statvfs()
        guard statvfs(path, &room) == 0 else {
            return Check(name: "store", isGood: false, reason: String(cString: strerror(errno)))
        }
        let free = UInt64(room.f_bavail) * UInt64(room.f_frsize)
        return Check(name: "store", isGood: free >= roomBytes, reason: "\(free >> 20) MB are free")
    }

    /// The answer: 200, or 503 when something is wrong; a JSON object with a reason for each. The token is not asked for
    /// here, so without one only what is wrong is named, and no path.
    static func answer(_ checks: [Check], isTrusted: Bool) -> HTTPAnswer {
        let isGood = checks.allSatisfy(\.isGood)
        let parts = checks.map { check in
            let reason = isTrusted ? ",\"reason\":\(JSONString.quoted(check.reason))" : ""
            return "\(JSONString.quoted(check.name)):{\"ok\":\(check.isGood)\(reason)}"
        }
        let body = "{\"status\":\"\(isGood ? "ok" : "failing")\",\"checks\":{\(parts.joined(separator: ","))}}\n"
        var answer = HTTPAnswer(isGood ? 200 : 503, type: "application/json", text: body)
        answer.headers.append(("Cache-Control", "no-store"))
        return answer
    }
}
