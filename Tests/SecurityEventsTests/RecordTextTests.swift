import LogRecords
import SecurityEvents
import Testing
import VigilModel

@Suite("A record's text")
struct RecordTextTests {
    private struct Texts: RecordConsumer {
        var columns: [String: String] = [:]
        mutating func take(_ records: RecordBatch) {
            for (name, value) in RecordText.columns(records[0]) { columns[name] = value }
        }
        mutating func takeUnfinished(_ records: RecordBatch) { take(records) }
        mutating func skip(_ unread: Unread) { Issue.record("unread: \(unread.reason)") }
        mutating func pass(_ line: TextLine) {}
    }

    private func columns(
        message: String, detail: String = "", context: String = "", query: String = "", state: String = "00000"
    ) -> [String: String] {
        func quoted(_ text: String) -> String {
            text.isEmpty
                ? ""
                : "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
        }
        let row =
            #"2026-03-02 09:55:19.183 UTC,"bob","shop",7,"203.0.113.9:4",69a55e87.4f2f,2,"idle",2026-03-02 09:55:19 UTC,4/2,0,LOG,"#
            + "\(state),\(quoted(message)),\(quoted(detail)),,,,\(quoted(context)),\(quoted(query)),,,\"psql\",\"client backend\",,0\n"
        var texts = Texts()
        let bytes = Array(row.utf8)
        LogFormat.csvlog.reader(ReadingFacts(timezone: nil, head: bytes)).read(bytes, into: &texts)
        return texts.columns
    }

    @Test(
        "shows no secret, wherever it stands",
        arguments: [
            ("statement: ALTER ROLE bob PASSWORD 'S3cret-1'", "", "", "", "00000"),
            ("duration: 1.2 ms  statement: CREATE USER x PASSWORD 'S3cret-1'", "", "", "", "00000"),
            ("execute <unnamed>: SELECT $1", "parameters: $1 = 'S3cret-1'", "", "", "00000"),
            ("execute <unnamed>: SELECT $1", "Parameter: $1 = 'a', $2 = 'S3cret-1'", "", "", "00000"),
            ("x", "", "unnamed portal with parameters: $1 = 'S3cret-1'", "", "22P02"),
            ("x", "", "SQL statement \"ALTER ROLE bob PASSWORD 'S3cret-1'\"", "", "42501"),
            ("x", "Failed process was running: ALTER ROLE bob PASSWORD 'S3cret-1'", "", "", "00000"),
            ("syntax error at or near \"S3cret-1\"", "", "", "ALTER ROLE bob PASSWORD S3cret-1 'S3cret-1'", "42601"),
            (
                "AUDIT: SESSION,1,1,ROLE,ALTER ROLE,,,\"ALTER ROLE \"\"bob\"\" PASSWORD 'S3cret-1'\",<none>", "", "",
                "", "00000"
            ),
            ("AUDIT: SESSION,1,1,READ,SELECT,,,SELECT $1,S3cret-1", "", "", "", "00000"),
            ("AUDIT: SESSION,1,1,READ,SELECT,,,SELECT $1,\"a,S3cret-1\"", "", "", "", "00000"),
            ("parameter \"primary_conninfo\" changed to \"host=a password=S3cret-1\"", "", "", "", "00000"),
        ])
    func secrets(message: String, detail: String, context: String, query: String, state: String) {
        let shown = columns(message: message, detail: detail, context: context, query: query, state: state)
        #expect(!shown.values.contains { $0.contains("S3cret-1") }, "\(shown)")
        #expect(shown.values.contains { $0.contains("<redacted>") }, "\(shown)")
        #expect(shown["user_name"] == "bob" && shown["backend_type"] == "client backend")
    }

    @Test("leaves everything else as it was")
    func others() {
        let message = "password authentication failed for user \"bob\""
        let detail = "Connection matched pg_hba.conf line 15: \"host all all 0.0.0.0/0 scram-sha-256\""
        let shown = columns(message: message, detail: detail, query: "SELECT 'a: \"b\"', \"c\" FROM t")
        #expect(shown["message"] == message && shown["detail"] == detail)
        #expect(shown["query"] == "SELECT 'a: \"b\"', \"c\" FROM t")
    }
}
