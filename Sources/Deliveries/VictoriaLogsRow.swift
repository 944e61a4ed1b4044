import VigilModel

/// An event as a line for VictoriaLogs: the keys of `events`, those that Pigsty's own rows have (`job cls ins level`),
/// `_time` and `_msg`.
enum VictoriaLogsRow {
    /// Longest line in bytes. The server's own limit is 256 KiB (`-insert.maxLineSizeBytes`), and it loses the next line
    /// with one that is longer.
    static let limit = 200 << 10

    static func line(_ delivery: Delivery, fields: [String: String]) -> String {
        let line = row(delivery, fields, textLimit: .max).json
        guard line.utf8.count > limit else { return line }
        // Texts are all that can be long: half for each of the two, escapes may double a text six times over.
        var allowed = limit / 4
        while allowed > 64 {
            let line = row(delivery, fields, textLimit: allowed).json
            if line.utf8.count <= limit { return line }
            allowed /= 2
        }
        return row(delivery, fields, textLimit: 64).json
    }

    private static func row(_ delivery: Delivery, _ fields: [String: String], textLimit: Int) -> ShownRow {
        let row = delivery.row
        var result: ShownRow = [
            ("_time", row.value("@timestamp") ?? .time(LogTime(milliseconds: 0))),
            ("_msg", .text(cut(row.value("message")?.text ?? row.value("event.action")?.text ?? "-", textLimit))),
            ("job", .text("pgvigil")),
        ]
        if let cluster = row.value("service.name") { result.append(("cls", cluster)) }
        if let instance = row.value("service.node.name") { result.append(("ins", instance)) }
        if let severity = row.value("event.severity")?.text { result.append(("level", .text(level(severity)))) }
        result += fields.sorted { $0.key < $1.key }.map { ($0.key, .text($0.value)) }
        result.append(("event.kind", .text(delivery.kind == .event ? "event" : "alert")))
        for (key, value) in row where key != "message" {
            switch value {
            case .text(let text): result.append((key, .text(cut(text, textLimit))))
            default: result.append((key, value))
            }
        }
        return result
    }

    /// Words that Pigsty's dashboards know (syslog's).
    private static func level(_ severity: String) -> String {
        switch severity {
        case "critical": "crit"
        case "high": "err"
        case "medium": "warning"
        case "low": "notice"
        default: "info"
        }
    }

    /// The text's start, whole characters, with a mark where it was cut.
    private static func cut(_ text: String, _ limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var head = String(decoding: text.utf8.prefix(limit), as: UTF8.self)
        // A character that the cut went through.
        if head.unicodeScalars.last == "\u{FFFD}" { head.unicodeScalars.removeLast() }
        return head + "… (\(text.utf8.count) bytes)"
    }
}
