/// Numbers of rows that were seen of one session: mostly one range from 1 on, and holes where rows are late.
public struct NumberRanges: Sendable, Equatable {
    /// What is known of a number.
    public enum Verdict: Sendable { case new, known, doubtful }

    /// Ascending, apart from each other.
    private var ranges: [ClosedRange<Int64>] = []
    /// Of numbers up to this one it is no longer known which were seen.
    private var floor: Int64 = 0

    /// Ranges kept of a session.
    public static let most = 32

    /// Nothing seen.
    public init() {}

    /// Takes a number and says whether it was there.
    public mutating func take(_ number: Int64) -> Verdict {
        if number <= floor { return .doubtful }
        // The usual number is the next one.
        if let last = ranges.last, last.upperBound == number - 1 {
            ranges[ranges.count - 1] = last.lowerBound...number
            return .new
        }
        let place = ranges.firstIndex { $0.upperBound >= number } ?? ranges.count
        if place < ranges.count, ranges[place].contains(number) { return .known }
        let joinsBefore = place > 0 && ranges[place - 1].upperBound == number - 1
        let joinsAfter = place < ranges.count && ranges[place].lowerBound == number + 1
        switch (joinsBefore, joinsAfter) {
        case (true, true):
            ranges[place - 1] = ranges[place - 1].lowerBound...ranges[place].upperBound
            ranges.remove(at: place)
        case (true, false): ranges[place - 1] = ranges[place - 1].lowerBound...number
        case (false, true): ranges[place] = number...ranges[place].upperBound
        case (false, false): ranges.insert(number...number, at: place)
        }
        if ranges.count > NumberRanges.most { floor = max(floor, ranges.removeFirst().upperBound) }
        return .new
    }

    /// As the store keeps it: `1-7 9 12-13`, behind `<5` when less is known of lower numbers.
    public var text: String {
        let words = ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
        return (floor > 0 ? ["<\(floor)"] + words : words).joined(separator: " ")
    }

    /// Reads what `text` gives; what is damaged counts as not seen.
    public init(text: String) {
        for word in text.split(separator: " ") {
            if word.first == "<" {
                floor = Int64(word.dropFirst()) ?? 0
                continue
            }
            let ends = word.split(separator: "-").compactMap { Int64($0) }
            guard let first = ends.first, let last = ends.last, first <= last, first > floor,
                first > ranges.last?.upperBound ?? 0
            else { continue }
            ranges.append(first...last)
        }
    }
}
