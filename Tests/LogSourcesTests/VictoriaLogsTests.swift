import LogSources
import Testing
import VigilModel

@Suite("VictoriaLogs: windows and queries")
struct VictoriaLogsTests {
    private func time(_ text: String) throws -> LogTime { try #require(LogTime(parsing: text)) }

    @Test("windows are half-open, on whole seconds, and cover a span without a hole", arguments: [1, 10, 1000])
    func windows(limit: Int) throws {
        // Rows at these seconds.
        let rows = (0..<500).map { ($0 * $0 * 7919) % 5000 }
        let start = try time("2026-03-02T09:49:01.374Z")
        let span = TimeWindow(from: start, to: start.adding(milliseconds: 5_000_500))
        let first = span.from.milliseconds / 1000
        var plan = WindowPlan(span, limit: WindowPlan.Load(rows: limit, bytes: .max))
        func count(_ window: TimeWindow) -> WindowPlan.Load {
            let found = rows.filter {
                (window.from.milliseconds / 1000 - first..<window.to.milliseconds / 1000 - first).contains(Int64($0))
            }
            return WindowPlan.Load(rows: found.count, bytes: 0)
        }
        var end = span.from
        var total = 0
        while let window = plan.next(count) {
            #expect(window.from >= end && window.to > window.from)
            #expect(window.from.milliseconds % 1000 == 0 && window.to.milliseconds % 1000 == 0)
            let load = count(window).rows
            #expect(load <= limit || window.halves == nil)
            end = window.to
            total += load
        }
        #expect(total == rows.count && end <= span.to)
    }

    @Test("a window that holds few rows with long texts is cut, too")
    func bytes() throws {
        let start = try time("2026-03-02T09:49:01Z")
        var plan = WindowPlan(
            TimeWindow(from: start, to: start.adding(milliseconds: 4000)),
            limit: WindowPlan.Load(rows: 100, bytes: 1000))
        var windows: [String] = []
        while let window = plan.next({ window in
            WindowPlan.Load(rows: 1, bytes: Int(window.to.milliseconds - window.from.milliseconds))
        }) { windows.append(window.condition) }
        #expect(windows.count == 4)
        #expect(windows.first == "_time:[2026-03-02T09:49:01.000Z, 2026-03-02T09:49:02.000Z)")
    }

    @Test("what an operator asks for stays a filter, and what is quoted stays a word")
    func query() {
        #expect(
            LogsQuery(jobs: ["postgres", "syslog"], filter: "cls:=a or cls:=b").condition
                == "(job:in(\"postgres\") or (job:=syslog app:=pgbouncer)) (cls:=a or cls:=b)")
        #expect(LogsQuery(jobs: ["a\"b\\c\n"]).condition == "(job:in(\"a\\\"b\\\\c\\x0a\"))")
    }
}
