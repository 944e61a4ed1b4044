import EventStore
import Foundation
import Testing

/// Records taken out of real logs are told with their exact range; whole logs tell of nothing that was not hidden.
@Suite("Corpus: missing records")
struct LineGapCorpusTests {
    /// A record of a csv file, with its session and line.
    private struct Row {
        let bytes: Data
        let session: String
        let line: Int
    }

    /// Cuts at line feeds outside of quotes.
    private static func rows(_ file: URL) throws -> [Row] {
        var rows: [Row] = []
        let data = try Data(contentsOf: file)
        var start = data.startIndex
        var isQuoted = false
        for index in data.indices {
            if data[index] == 34 { isQuoted.toggle() }
            guard data[index] == 10, !isQuoted else { continue }
            let bytes = data[start...index]
            let columns = columns(bytes)
            rows.append(Row(bytes: Data(bytes), session: columns[5], line: try #require(Int(columns[6]))))
            start = index + 1
        }
        return rows
    }

    private static func columns(_ bytes: Data) -> [String] {
        var columns: [[UInt8]] = [[]]
        var isQuoted = false
        for byte in bytes {
            if byte == 34 { isQuoted.toggle() }
            if byte == 44, !isQuoted { columns.append([]) } else { columns[columns.count - 1].append(byte) }
            if columns.count > 7 { break }
        }
        return columns.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func told(_ store: Store) throws -> Set<String> {
        Set(try counts(store, action: "tamper.line_gap", by: ["message"]).keys)
    }

    /// `SET LOCAL log_min_messages = panic` hides a record of pgaudit's own in each run with pgaudit.
    private static func isHidden(_ message: String) -> Bool { message.hasPrefix("pgaudit's statement 7 of session ") }

    @Test(
        "one record, ten records, all but the first and last of a session",
        arguments: ["pg15-audit-ddl", "pg15-noaudit-dur0", "pg18-audit"])
    func cut(name: String) throws {
        let run = try Run(name)
        let file = run.logs.appending(path: "postgresql.csv")
        let rows = try Self.rows(file)
        let whole = try Self.told(try run.replay([file.path], into: "whole.db").store)
        #expect(whole.count <= 1 && whole.allSatisfy(Self.isHidden))
        let sessions = Dictionary(grouping: rows.indices, by: { rows[$0].session }).filter { $0.value.count >= 14 }
        #expect(sessions.count > 3)
        for (number, session) in sessions.keys.sorted().enumerated() {
            let own = try #require(sessions[session])
            let parts = [own[3...3], own[2...11], own[1..<(own.count - 1)]]
            let lost = Set(parts[number % 3])
            let cut = run.folder.appending(path: "cut-\(number).csv")
            try Data(rows.indices.filter { !lost.contains($0) }.map { rows[$0].bytes }.joined()).write(to: cut)
            let lines = lost.map { rows[$0].line }.sorted()
            let found = try Self.told(try run.replay([cut.path], into: "cut-\(number).db").store)
                .filter { !Self.isHidden($0) }
            let wanted =
                lines.count == 1
                ? "line \(lines[0]) of session \(session) is missing"
                : "lines \(lines[0]) to \(lines[lines.count - 1]) of session \(session) are missing"
            #expect(found == [wanted])
        }
    }

    @Test("files of every run, each by itself and all together", arguments: try Expectation.all().keys.sorted())
    func untouched(name: String) throws {
        let run = try Run(name)
        let files = try FileManager.default.subpathsOfDirectory(atPath: run.logs.path).sorted()
            .filter { $0.hasSuffix(".csv") }.map { run.logs.appending(path: $0).path }
        for (number, paths) in (files.map { [$0] } + [files, files.reversed()]).enumerated() {
            let found = try Self.told(try run.replay(paths, into: "\(number).db").store)
            #expect(found.count <= 1 && found.allSatisfy(Self.isHidden), "\(paths)")
        }
    }
}
