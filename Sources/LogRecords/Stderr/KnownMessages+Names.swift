import VigilModel

extension KnownMessages {
    /// The names that a message tells beyond doubt, for a prefix that has none.
    func names(_ number: Int, _ text: ArraySlice<UInt8>) -> (names: Names, host: ArraySlice<UInt8>?) {
        let template = templates[number]
        var names = Names()
        var host: ArraySlice<UInt8>?
        var rest = text.dropFirst(template.pieces[0].count)
        if KnownMessage.all[template.kind].isOpen { return (openNames(rest), nil) }
        for (index, blank) in template.blanks.enumerated() {
            let piece = template.pieces[index + 1]
            let isLast = index + 1 == template.blanks.count
            let end: Int
            if isLast {
                guard rest.count >= piece.count else { break }
                end = rest.endIndex - piece.count
            } else {
                guard let place = KnownMessages.place(of: piece, in: rest) else { break }
                end = place
                // A name that holds the text behind it could end in two places.
                if blank != .host, KnownMessages.place(of: piece, in: rest[(place + 1)...]) != nil { break }
            }
            switch blank {
            case .user: names.user = rest[..<end]
            case .database: names.database = rest[..<end]
            case .host: host = rest[..<end]
            case .other: break
            }
            rest = rest[min(end + piece.count, rest.endIndex)...]
        }
        return (names, host)
    }

    private func openNames(_ rest: ArraySlice<UInt8>) -> Names {
        func first(_ parts: [[UInt8]], in text: ArraySlice<UInt8>) -> (at: Int, length: Int)? {
            parts.compactMap { part in KnownMessages.place(of: part, in: text).map { ($0, part.count) } }
                .min { ($0.0, -$0.1) < ($1.0, -$1.1) }
        }
        guard let part = first(databaseParts, in: rest) else {
            return Names(user: rest[..<(first(laterParts, in: rest)?.at ?? rest.endIndex)])
        }
        let behind = rest[(part.at + part.length)...]
        return Names(
            user: rest[..<part.at], database: behind[..<(first(laterParts, in: behind)?.at ?? behind.endIndex)])
    }
}
