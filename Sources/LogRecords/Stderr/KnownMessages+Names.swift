import VigilModel

extension KnownMessages {
    /// The names that a message tells beyond doubt, for a prefix that has none.
    func names(_ number: Int, _ text: Bytes) -> (names: Names, host: Bytes?) {
        let template = templates[number]
        var names = Names()
        var host: Bytes?
        var rest = text.from(template.pieces[0].count)
        if template.isOpen { return (openNames(rest), nil) }
        for (index, blank) in template.blanks.enumerated() {
            let piece = template.pieces[index + 1]
            let isLast = index + 1 == template.blanks.count
            let end: Int
            if isLast {
                guard rest.count >= piece.count else { break }
                end = rest.count - piece.count
            } else {
                guard let place = rest.place(of: piece) else { break }
                end = place
                // A name that holds the text behind it could end in two places.
                if blank != .host, rest.from(place + 1).place(of: piece) != nil { break }
            }
            switch blank {
            case .user: names.user = rest.upTo(end)
            case .database: names.database = rest.upTo(end)
            case .host: host = rest.upTo(end)
            case .other: break
            }
            rest = rest.from(end + piece.count)
        }
        return (names, host)
    }

    private func openNames(_ rest: Bytes) -> Names {
        guard let part = databaseParts.first(in: rest) else {
            return Names(user: rest.upTo(laterParts.first(in: rest)?.at ?? rest.count))
        }
        let behind = rest.from(part.at + part.length)
        return Names(
            user: rest.upTo(part.at), database: behind.upTo(laterParts.first(in: behind)?.at ?? behind.count))
    }
}

/// Texts that are looked for at once.
struct SoughtTexts: Sendable {
    let texts: [[UInt8]]
    /// The bytes that they start with.
    private let isFirst: [Bool]

    /// Takes texts that are not empty.
    init(_ texts: [[UInt8]]) {
        self.texts = texts
        isFirst = texts.reduce(into: [Bool](repeating: false, count: 256)) { $0[Int($1[0])] = true }
    }

    /// Where the one that comes first stands, and how long it is; of those that start at one place the longest.
    func first(in text: UnsafeBufferPointer<UInt8>) -> (at: Int, length: Int)? {
        for place in 0..<text.count where isFirst[Int(text[place])] {
            let longest = texts.lazy.filter { text.has($0, at: place) }.map(\.count).max()
            if let longest { return (place, longest) }
        }
        return nil
    }
}
