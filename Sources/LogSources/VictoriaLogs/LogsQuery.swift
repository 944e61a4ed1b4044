/// What is asked of VictoriaLogs, beside the time (https://docs.victoriametrics.com/victorialogs/logsql/).
public struct LogsQuery: Sendable, Equatable {
    /// Programs whose rows are read.
    public var jobs: [String]
    /// A filter of the operator's, in LogsQL; nil: none.
    public var filter: String?

    /// What Pigsty's Vector and pgvigil write.
    public static let jobs = ["postgres", "patroni", "pgbackrest", "pgbouncer", "syslog", "pgvigil"]

    /// Takes both.
    public init(jobs: [String] = LogsQuery.jobs, filter: String? = nil) {
        self.jobs = jobs
        self.filter = filter
    }

    /// The condition. Fields, not streams: a new stream is not seen by its labels for some seconds. The journal has
    /// everybody's lines, of which only PgBouncer's are wanted.
    public var condition: String {
        let names = jobs.filter { $0 != "syslog" }.map(LogsQuery.quoted)
        var parts = names.isEmpty ? [] : ["job:in(\(names.joined(separator: ", ")))"]
        if jobs.contains("syslog") { parts.append("(job:=syslog app:=pgbouncer)") }
        let rows = "(\(parts.isEmpty ? "*" : parts.joined(separator: " or ")))"
        // In brackets it stays a filter: neither `or` nor a pipe gets out.
        return rows + (filter.map { " (\($0))" } ?? "")
    }

    /// A word as LogsQL quotes it.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case _ where scalar.value < 32 || scalar.value == 127:
                let digits = String(scalar.value, radix: 16)
                result += "\\x" + (digits.count == 1 ? "0" : "") + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
