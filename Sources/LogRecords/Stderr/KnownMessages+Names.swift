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
        guard let part = databaseParts.first(in: rest) else {
            return Names(user: rest[..<(laterParts.first(in: rest)?.at ?? rest.endIndex)])
        }
        let behind = rest[(part.at + part.length)...]
        return Names(
            user: rest[..<part.at], database: behind[..<(laterParts.first(in: behind)?.at ?? behind.endIndex)])
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
    func first(in text: ArraySlice<UInt8>) -> (at: Int, length: Int)? {
        text.withUnsafeBufferPointer { bytes in
            for place in 0..<bytes.count where isFirst[Int(bytes[place])] {
                let longest = texts.lazy.filter { part in
                    bytes.count - place >= part.count && part.indices.allSatisfy { bytes[place + $0] == part[$0] }
                }.map(\.count).max()
                if let longest { return (text.startIndex + place, longest) }
            }
            return nil
        }
    }
}
