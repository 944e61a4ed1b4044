import VigilModel

/// Finds the server's own messages in all its languages, and whether they name whom the prefix names. A class, so that
/// handing it on costs nothing.
final class KnownMessages: Sendable {
    typealias Bytes = UnsafeBufferPointer<UInt8>

    /// A message in one language, cut at its blanks.
    struct Template: Sendable {
        /// Index into `KnownMessage.all`.
        var kind: Int
        var pieces: [[UInt8]]
        var blanks: [KnownMessage.Blank]
        /// Bytes of its own: of two that fit the one with more is meant.
        var weight: Int
        /// It names a user or a database.
        var isNaming = false
        /// As `KnownMessage` says.
        var isEarly = false
        var isOpen = false
    }

    /// Names as the prefix has them; nil where it has none. Valid as long as the line.
    struct Names {
        var user: Bytes?
        var database: Bytes?
    }

    /// All languages.
    static let all = KnownMessages(.all)

    let templates: [Template]
    /// Numbers of templates by severity and first byte, those with most text of their own first, one list behind the
    /// other; where each list starts, and one more.
    private let listed: [Int]
    private let starts: [UInt16]
    /// The first eight bytes of each that is listed, and which of them it has.
    private let heads: [(head: UInt64, mask: UInt64)]
    /// How LOG messages of other SQLSTATEs than 00000 start, by their first bytes.
    private let logs: [UInt8: [(start: [UInt8], state: String)]]
    /// What may follow the user of "connection authorized", and the database.
    let databaseParts, laterParts: SoughtTexts
    /// Wordings of SQLSTATE 42501.
    private let denied: [Template]
    /// What `%u`, `%d`, `%a` print for a name that is not known.
    let unknownNames: [[UInt8]]
    /// What stands before and behind the number of " at character 7".
    let atCharacter: [[[UInt8]]]

    init(_ messages: ServerMessages) {
        var templates: [Template] = []
        var byFirst = [[Int]](repeating: [], count: StderrLabel.allCases.count * 256)
        for (number, kind) in KnownMessage.all.enumerated() {
            for text in kind.names.flatMap(messages.texts) {
                var template = KnownMessages.template(text, kind: number, kind.blanks)
                template.isNaming = template.blanks.contains { $0 == .user || $0 == .database }
                (template.isEarly, template.isOpen) = (kind.isEarly, kind.isOpen)
                guard let first = template.pieces[0].first else { continue }
                for label in kind.severities {
                    byFirst[Int(label.rawValue) * 256 + Int(first)].append(templates.count)
                }
                templates.append(template)
            }
        }
        self.templates = templates
        let lists = byFirst.map { $0.sorted { templates[$0].weight > templates[$1].weight } }
        listed = lists.flatMap { $0 }
        heads = listed.map { templates[$0].pieces[0].withUnsafeBufferPointer(KnownMessages.head) }
        logs = KnownMessage.logs.reduce(into: [:]) { logs, log in
            let start = Array(log.start.utf8)
            if let first = start.first { logs[first, default: []].append((start, log.state)) }
        }
        starts = lists.reduce(into: [0]) { $0.append($0[$0.count - 1] + UInt16($1.count)) }
        databaseParts = SoughtTexts(KnownMessages.starts(messages, ["authorized_database"]))
        laterParts = SoughtTexts(
            KnownMessages.starts(messages, ["authorized_application", "authorized_ssl", "authorized_gss"]))
        denied = messages.names.filter { name in
            name.contains("denied") || name.hasPrefix("owner_of_") || name.hasPrefix("row_security_")
        }.flatMap(messages.texts).map { KnownMessages.template($0, kind: 0, []) }
        unknownNames = messages.texts("name_unknown").map { Array($0.utf8) }
        atCharacter = messages.texts("at_character").map { KnownMessages.template($0, kind: 0, []).pieces }
    }

    private static func starts(_ messages: ServerMessages, _ names: [String]) -> [[UInt8]] {
        names.flatMap(messages.texts).map { template($0, kind: 0, []).pieces[0] }.filter { !$0.isEmpty }
    }

    private static func template(_ text: String, kind: Int, _ blanks: [KnownMessage.Blank]) -> Template {
        var pieces: [[UInt8]] = [[]]
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let end = rest.firstIndex { !(48...57).contains($0) && $0 != 46 }
            if byte == 37, let end, [115, 100, 117, 102, 109].contains(rest[end]) {
                pieces.append([])
                rest = rest[(end + 1)...]
            } else {
                pieces[pieces.count - 1].append(byte)
            }
        }
        var found = Array(blanks.prefix(pieces.count - 1))
        // The wordings for replication name no database.
        if blanks.count == 3, pieces.count == 4, pieces[3].isEmpty { found[2] = .other }
        found += Array(repeating: .other, count: pieces.count - 1 - found.count)
        if blanks.first == .host, pieces.count == 2 { found = [.user] }
        return Template(kind: kind, pieces: pieces, blanks: found, weight: pieces.reduce(0) { $0 + $1.count })
    }

    /// The number of the message of that severity that a text is, by how it starts and ends.
    func find(_ text: Bytes, _ label: StderrLabel) -> Int? {
        guard let first = text.first else { return nil }
        let list = Int(label.rawValue) * 256 + Int(first)
        // Most messages of a log are none of these.
        guard starts[list] != starts[list + 1] else { return nil }
        let head = KnownMessages.head(text).head
        for index in Int(starts[list])..<Int(starts[list + 1]) where head & heads[index].mask == heads[index].head {
            if fits(templates[listed[index]], text) { return listed[index] }
        }
        return nil
    }

    /// The first eight bytes as a number, zeroes behind fewer, and a mask of those that there are.
    private static func head(_ text: Bytes) -> (head: UInt64, mask: UInt64) {
        if text.count >= 8, let base = text.baseAddress {
            return (UInt64(littleEndian: UnsafeRawPointer(base).loadUnaligned(as: UInt64.self)), .max)
        }
        var (head, mask, shift) = (UInt64(0), UInt64(0), UInt64(0))
        for byte in text.prefix(8) {
            head |= UInt64(byte) << shift
            mask |= 0xFF << shift
            shift += 8
        }
        return (head, mask)
    }

    /// The SQLSTATE of a LOG message that is none of the templates.
    func stateOfLog(_ text: Bytes) -> String {
        guard let first = text.first, let logs = logs[first] else { return "00000" }
        return logs.first { text.has($0.start) }?.state ?? "00000"
    }

    /// What a message of that number tells.
    func kind(_ number: Int) -> KnownMessage { KnownMessage.all[templates[number].kind] }

    /// True when the message names a user or a database.
    func isNaming(_ number: Int) -> Bool { templates[number].isNaming }

    /// True for one that is written before a session is open.
    func isEarly(_ number: Int) -> Bool { templates[number].isEarly }

    /// True for one that more parts may follow in the line.
    func isOpen(_ number: Int) -> Bool { templates[number].isOpen }

    /// True for a refusal of SQLSTATE 42501 in any language.
    func isDenied(_ text: Bytes) -> Bool { denied.contains { fits($0, text) } }

    private func fits(_ template: Template, _ text: Bytes) -> Bool {
        let first = template.pieces[0]
        guard text.has(first) else { return false }
        if template.pieces.count == 1 { return text.count == first.count }
        if template.isOpen { return true }
        let last = template.pieces[template.pieces.count - 1]
        return text.count >= first.count + last.count && text.ends(with: last)
    }

    /// True when the message names whom the prefix names, or nobody. What a client put into a name cannot make it true
    /// for other names.
    func agrees(_ number: Int, _ text: Bytes, with names: Names) -> Bool {
        let template = templates[number]
        var rest = text.from(template.pieces[0].count)
        for (index, blank) in template.blanks.enumerated() {
            let piece = template.pieces[index + 1]
            let name = blank == .user ? names.user : blank == .database ? names.database : nil
            if let name {
                guard rest.has(name) else { return false }
                rest = rest.from(name.count)
            } else if index + 1 == template.blanks.count {
                let isName = (blank == .user || blank == .database) && !template.isOpen
                return rest.ends(with: piece) && (!isName || rest.count - piece.count <= PrefixField.user.longest)
            } else {
                guard let next = rest.place(of: piece) else { return false }
                rest = rest.from(next)
            }
            guard rest.has(piece) else { return false }
            rest = rest.from(piece.count)
        }
        return template.isOpen ? agreesOpenly(rest, with: names) : rest.isEmpty
    }

    /// The rest of "connection authorized: user=…".
    private func agreesOpenly(_ rest: Bytes, with names: Names) -> Bool {
        func mayFollow(_ rest: Bytes) -> Bool { rest.isEmpty || laterParts.texts.contains { rest.has($0) } }
        if mayFollow(rest) { return true }
        for part in databaseParts.texts where rest.has(part) {
            guard let database = names.database else { return true }
            let behind = rest.from(part.count)
            if behind.has(database), mayFollow(behind.from(database.count)) { return true }
        }
        return false
    }
}
