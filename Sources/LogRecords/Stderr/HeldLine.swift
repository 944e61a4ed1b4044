import VigilModel

/// A line, with the lines that go on from it, which waits until nothing that follows can change what it is.
///
/// A name in the prefix may hold line feeds, so a line may be a piece of the prefix of a record that ends further down.
/// How far down is bounded by the length of names. A class: it is changed in place, and few exist at a time.
final class HeldLine {
    enum Kind {
        /// A line with a whole prefix and a severity.
        case record
        /// A line that starts as a prefix does and has no severity.
        case unfinished
        /// Any other line.
        case loose
    }

    var kind = Kind.loose
    /// File offsets of its first byte and behind its last line.
    var offset: Int64 = 0
    var end: Int64 = 0
    /// File offset up to which a name in its prefix can reach.
    var nameEnd: Int64 = 0
    /// Its bytes as they stand in the file, the first ones. Like the record unchecked: only the assembler touches it, and
    /// not while it does.
    @exclusivity(unchecked) var raw: [UInt8] = []
    /// Its last line ended in a carriage return that belongs to the text.
    var hasReturn = false
    /// How its first line is read, for a record or an unfinished line.
    var reading = LineReading()
    var time = LogTime.distantPast
    /// The record.
    @exclusivity(unchecked) var draft = DraftRecord()
    /// The column that lines starting with TAB go on; nil: none.
    var column: LogColumn?
    /// It has a label, and no record that it is a part of.
    var isPart = false
    var knowledge = MessageKnowledge()
    /// What it is was looked at when its text was whole.
    var isSettled = false
    /// Another severity or label stands where a name could have put it.
    var isDoubtful = false
    /// A name in its prefix was made to look like something else.
    var isHostile = false
    /// Ways to read it, when there are several.
    var readings: [LineReading] = []
    /// It was found to be text of a client that cannot be told from records.
    var isForged = false

    /// A record about which nothing was found odd.
    var isPlain: Bool { kind == .record && !isDoubtful && !isHostile && !isForged && readings.isEmpty }

    /// No more bytes than this are kept.
    private static let longest = 4096

    /// Begins another line.
    func begin(_ line: LogLine, _ kind: Kind, hasReturn: Bool, keepsBytes: Bool) {
        self.kind = kind
        offset = line.offset
        end = line.end
        nameEnd = line.offset - 1
        raw.removeAll(keepingCapacity: true)
        if keepsBytes { raw.append(contentsOf: line.bytes.prefix(HeldLine.longest)) }
        self.hasReturn = hasReturn
        column = nil
        isPart = false
        knowledge = MessageKnowledge()
        isSettled = false
        isDoubtful = false
        isHostile = false
        isForged = false
        if !readings.isEmpty { readings = [] }
    }

    /// Takes a line that goes on from it.
    func extend(_ line: LogLine, hasReturn: Bool, keepsBytes: Bool) {
        if keepsBytes, raw.count + line.bytes.count < HeldLine.longest {
            if self.hasReturn { raw.append(13) }
            raw.append(10)
            raw.append(contentsOf: line.bytes)
        }
        if kind == .record, let column {
            if self.hasReturn { draft.append(column, 13) }
            draft.append(column, 10)
            draft.append(column, line.bytes.from(1))
        }
        self.hasReturn = hasReturn
        end = line.end
    }
}

/// The lines that wait, oldest first. Places are used again, so that no memory is taken per line.
struct HeldLines {
    /// A power of two of them.
    private var places = (0..<4).map { _ in HeldLine() }
    private var first = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Oldest is 0.
    subscript(index: Int) -> HeldLine { places[(first + index) & (places.count - 1)] }

    /// Makes room for a new last one, which has what an older one had until it begins.
    mutating func add() -> HeldLine {
        if count == places.count {
            places = (0..<count).map { places[(first + $0) % count] } + (0..<count).map { _ in HeldLine() }
            first = 0
        }
        count += 1
        return self[count - 1]
    }

    mutating func removeFirst() {
        first = (first + 1) & (places.count - 1)
        count -= 1
    }

    mutating func removeLast(_ number: Int) { count -= number }

    /// The last record before an index.
    func lastRecord(before index: Int) -> Int? {
        var at = index - 1
        while at >= 0, self[at].kind != .record { at -= 1 }
        return at >= 0 ? at : nil
    }
}
