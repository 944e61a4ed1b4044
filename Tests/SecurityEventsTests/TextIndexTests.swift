import Patterns
import Testing
import VigilModel

@testable import SecurityEvents

@Suite("The choice of patterns by first bytes")
struct TextIndexTests {
    private static let catalogue = Result { try Catalogue.embedded() }

    /// Calls with a record of those columns.
    private static func with<Result>(
        _ dataset: LogDataset, _ columns: [LogColumn: [UInt8]], _ body: (LogRecord) -> Result
    ) -> Result? {
        var bytes: [UInt8] = []
        var separators: [UInt32] = []
        for column in LogColumn.allCases {
            if let content = columns[column] {
                bytes += content.contains(34) ? [34] + content.flatMap { $0 == 34 ? [34, 34] : [$0] } + [34] : content
            }
            separators.append(UInt32(bytes.count))
            bytes.append(44)
        }
        bytes += [UInt8](repeating: 120, count: 64)
        return bytes.withUnsafeBufferPointer { bytes in
            separators.withUnsafeBufferPointer { separators in
                guard let first = bytes.baseAddress, let separator = separators.baseAddress else { return nil }
                return body(
                    LogRecord(
                        bytes: first, separators: separator, start: 0, columnCount: separators.count, offset: 0,
                        time: LogTime(milliseconds: 0), dataset: dataset))
            }
        }
    }

    /// What a pattern asks for, and the ends of all lines of its examples, of which one is the message.
    private static func messages(of pattern: EventPattern, _ catalogue: EventCatalogue) -> [[UInt8]] {
        let starts = pattern.condition.expressions.flatMap { LiteralStarts(of: $0.regex.source).texts }
        let lines = catalogue.examples.filter { $0.pattern == pattern.id }.flatMap { $0.input.split(separator: "\n") }
        return starts
            + lines.flatMap { line in
                line.utf8.indices.filter { $0 == line.startIndex || line.utf8[line.utf8.index(before: $0)] == 32 }
                    .prefix(12).map { Array(line.utf8[$0...]) }
            }
    }

    private static func changed(_ message: [UInt8], _ numbers: inout SeededNumbers) -> [UInt8] {
        let tails = ["", " (age=0s)", "client close request", "\"", "x", "\n", " command issued", "no such user: a"]
        var message = message
        switch Int.random(in: 0..<8, using: &numbers) {
        case 0 where !message.isEmpty:
            message[Int.random(in: 0..<message.count, using: &numbers)] = UInt8.random(in: 0...255, using: &numbers)
        case 1: message.removeLast(Int.random(in: 0...message.count, using: &numbers))
        case 2: message.removeFirst(min(message.count, 1))
        case 3: message += Array((tails.randomElement(using: &numbers) ?? "").utf8)
        case 4: message.insert(34, at: Int.random(in: 0...message.count, using: &numbers))
        default: break
        }
        return message
    }

    @Test("finds the pattern that trying all finds", arguments: 0..<6)
    func equal(seed: UInt64) throws {
        let catalogue = try Self.catalogue.get().events
        let index = TextIndex(catalogue.patterns)
        let patterns = catalogue.patterns.filter { $0.condition.dataset != .postgresql }
        let messages = patterns.map { Self.messages(of: $0, catalogue) }
        let scratch = Regex.Scratch()
        var numbers = SeededNumbers(seed: seed)
        var met: Set<String> = []
        let words = ["LOG", "WARNING", "ERROR", "FATAL", "INFO", "DETAIL", "WARN", "CRITICAL", ""]
        for _ in 0..<6000 {
            let number = Int.random(in: 0..<patterns.count, using: &numbers)
            let dataset = patterns[number].condition.dataset
            let session = ["C-0x5", "C-0x5", "S-0x7", "C", "", ""].randomElement(using: &numbers) ?? ""
            let columns: [LogColumn: [UInt8]] = [
                .message: Self.changed(messages[number].randomElement(using: &numbers) ?? [], &numbers),
                .severity: Array((words.randomElement(using: &numbers) ?? "").utf8),
                .sessionID: Array(session.utf8), .commandTag: Array("backup".utf8),
            ]
            let (found, wanted) = try #require(
                Self.with(dataset, columns) { record in
                    (
                        index.match(record).map { index.patterns[$0].id },
                        catalogue.patterns.first {
                            $0.condition.dataset == dataset
                                && EventBuilder.found(record, ifMeant: $0, scratch) != nil
                        }?.id
                    )
                })
            #expect(found == wanted, "\(dataset): \(String(decoding: columns[.message] ?? [], as: UTF8.self))")
            if let found { met.insert(found) }
        }
        #expect(met.count > 40)
    }

    @Test("a message that starts as none that is asked for fits no pattern", arguments: 0..<4)
    func heads(seed: UInt64) throws {
        let catalogue = try Self.catalogue.get().events
        let index = TextIndex(catalogue.patterns)
        let patterns = catalogue.patterns.filter { $0.condition.dataset == .pgbouncer }
        let messages = patterns.map { Self.messages(of: $0, catalogue) } + [[Array("stats: 29 xacts/s".utf8)]]
        var numbers = SeededNumbers(seed: seed)
        var passed = 0
        for severity in ["LOG", "WARNING", "FATAL"] {
            let heads = catalogue.messageHeads(of: .pgbouncer, severity: severity)
            for _ in 0..<4000 {
                let message = Self.changed(
                    messages.randomElement(using: &numbers)?.randomElement(using: &numbers) ?? [], &numbers)
                // Who reads the log leaves quotes to the patterns.
                guard message.count >= 8, !message.prefix(4).contains(34) else { continue }
                let columns: [LogColumn: [UInt8]] = [
                    .message: message, .severity: Array(severity.utf8),
                    .sessionID: Array((Bool.random(using: &numbers) ? "C-0x5" : "").utf8),
                ]
                let found = Self.with(.pgbouncer, columns) { record -> [String] in
                    if heads.contains(record.head(.message)) { return [] }
                    passed += 1
                    if let number = index.match(record) { return [index.patterns[number].id] }
                    return ProxyReader.mayRead(record) ? ["proxies"] : []
                }
                #expect(found == [], "\(severity) \(String(escaping: message))")
            }
            #expect(heads.contains(0x3220_3A73_7461_7473) == (severity == "FATAL"))
        }
        #expect(passed > 200)
    }
}
