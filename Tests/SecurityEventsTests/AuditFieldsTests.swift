import Testing
import VigilModel

@testable import SecurityEvents

@Suite("The fields of a pgaudit record where they stand")
struct AuditFieldsTests {
    private static let pieces = [
        "SESSION", "OBJECT", "1", "12", "READ", "WRITE", "DDL", "SELECT", "DROP TABLE", "TABLE", "public.a", "",
        "public.\"A\"", "SELECT 1", "SELECT \"a\", 'b' FROM \"c\"", "\"\"", "\"", ",", "a\nb", "<none>",
        "<not logged>", "<previously logged>", "x",
    ]

    /// As pgaudit writes a field.
    private static func quoted(_ field: String) -> String {
        guard field.contains(where: { ",\"\n\r".contains($0) }) else { return field }
        return "\"" + field.replacing("\"", with: "\"\"") + "\""
    }

    @Test("are those that reading it gives, or are not found", arguments: 0..<200)
    func equal(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        for round in 0..<50 {
            var fields = ["SESSION", "3", "1", "READ", "SELECT", "TABLE", "public.a", "SELECT 1", "<none>"]
            for _ in 0..<Int.random(in: 0..<3, using: &numbers) {
                let index = fields.indices.randomElement(using: &numbers) ?? 0
                fields[index] = Self.pieces.randomElement(using: &numbers) ?? ""
            }
            var message = "AUDIT: " + fields.map(Self.quoted).joined(separator: ",")
            if round % 5 == 0 { message = String(message.dropLast(Int.random(in: 0..<20, using: &numbers))) }
            let raw = Array(message.replacing("\"", with: "\"\"").utf8)
            raw.withUnsafeBufferPointer { raw in
                guard let found = AuditFields(raw) else { return }
                let record = AuditRecord(Array(message.utf8))
                #expect(record?.auditClass == String(decoding: raw[found.auditClass], as: UTF8.self))
                #expect(record?.command == String(decoding: raw[found.command], as: UTF8.self))
                let text = String(decoding: raw[found.statement], as: UTF8.self)
                let isQuoted = found.statement.lowerBound > 1 && raw[found.statement.lowerBound - 1] == 34
                #expect(
                    record?.statement.map { String(decoding: $0, as: UTF8.self) }
                        == (isQuoted ? text.replacing("\"\"\"\"", with: "\"") : text),
                    "\(message)")
            }
        }
    }

    @Test("are found in usual records")
    func usual() throws {
        for (message, statement) in [
            ("AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.a,SELECT 1,<none>", "SELECT 1"),
            ("AUDIT: OBJECT,11,2,WRITE,UPDATE,,,\"\"UPDATE a SET b = 1, c = 2\"\",<none>", "UPDATE a SET b = 1, c = 2"),
        ] {
            Array(message.utf8).withUnsafeBufferPointer { raw in
                let found = AuditFields(raw).map { String(decoding: raw[$0.statement], as: UTF8.self) }
                #expect(found == statement)
            }
        }
    }
}
