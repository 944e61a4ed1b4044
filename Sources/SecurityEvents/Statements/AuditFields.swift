import Glibc
import VigilModel

/// Where the fields of a usual pgaudit record stand in the message as csvlog has it, with quotes doubled: nothing is
/// copied. What is written otherwise, `AuditRecord` reads.
struct AuditFields {
    /// pgaudit's class, and the command tag.
    let auditClass, command: Range<Int>
    /// From the class to the name of what was touched.
    let head: Range<Int>
    /// The statement's text, its own quotes doubled twice.
    let statement: Range<Int>

    /// Reads a message whose outer quotes are gone; nil for one whose names are quoted, or that has no text of a statement.
    @inline(__always)
    init?(_ raw: UnsafeBufferPointer<UInt8>) {
        guard raw.count > 15, let base = raw.baseAddress, memcmp(base, "AUDIT: ", 7) == 0 else { return nil }
        var at = 7
        /// The next field, none that is quoted.
        func field() -> Range<Int>? {
            guard at < raw.count, raw[at] != SQLBytes.doubleQuote,
                let comma = memchr(base + at, 44, raw.count - at)
            else { return nil }
            let start = at
            at = base.distance(to: comma.assumingMemoryBound(to: UInt8.self)) + 1
            return start..<(at - 1)
        }
        func isNumber(_ field: Range<Int>) -> Bool {
            !field.isEmpty && field.count <= 18 && raw[field].allSatisfy { $0 &- 48 < 10 }
        }
        guard let type = field(),
            type.count == 7 && memcmp(base + 7, "SESSION", 7) == 0
                || type.count == 6 && memcmp(base + 7, "OBJECT", 6) == 0,
            let id = field(), isNumber(id), let part = field(), isNumber(part),
            let auditClass = field(), !auditClass.isEmpty, let command = field(), !command.isEmpty, field() != nil,
            let object = field(), object.upperBound - auditClass.lowerBound <= AuditFields.longest,
            let statement = AuditFields.text(base, at, raw.count)
        else { return nil }
        self.auditClass = auditClass
        self.command = command
        head = auditClass.lowerBound..<object.upperBound
        self.statement = statement
    }

    /// Longer names are cut when they are kept.
    private static let longest = 1024

    /// The field that starts there, to its own end: a quoted one ends at a quote that no other follows.
    @inline(__always)
    private static func text(_ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Range<Int>? {
        guard start + 1 < count, base[start] != UInt8(ascii: "<") else { return nil }
        guard base[start] == SQLBytes.doubleQuote else {
            guard let comma = memchr(base + start, 44, count - start), comma != base + start else { return nil }
            return start..<base.distance(to: comma.assumingMemoryBound(to: UInt8.self))
        }
        let first = start + 2
        var at = first
        while let quote = memchr(base + at, Int32(SQLBytes.doubleQuote), count - at) {
            let from = base.distance(to: quote.assumingMemoryBound(to: UInt8.self))
            at = from
            while at < count, base[at] == SQLBytes.doubleQuote { at += 1 }
            // Each quote of the field is two in the log, and each of the text two of these.
            if (at - from) % 4 == 2 { return at - 2 > first ? first..<(at - 2) : nil }
            guard (at - from) % 4 == 0 else { return nil }
        }
        return nil
    }
}
