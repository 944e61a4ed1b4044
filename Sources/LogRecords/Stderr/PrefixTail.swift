/// The tail of a prefix, compiled for nearly all lines: those where each literal is found at the first place looked at,
/// from the severity back. What it does not find, `LogLinePrefix.readTail` may.
struct PrefixTail: Sendable {
    typealias Bytes = UnsafeBufferPointer<UInt8>

    /// A field with the literal before it.
    private struct Step {
        var field: PrefixField
        /// The most bytes of the field.
        var longest: Int
        /// Any bytes will do, if they are not too many.
        var isRaw: Bool
        /// Where the literal stands in `literals`; none for the first field of a tail that starts with one.
        var literal: Range<Int>
        /// The literal's last byte.
        var last: UInt8
    }

    /// The last first.
    private let steps: [Step]
    private let literals: [UInt8]
    /// The literal behind the last field.
    private let closing: Range<Int>

    /// Nil for a tail with widths, or with two fields that nothing parts.
    init?(_ tail: ArraySlice<LogLinePrefix.Element>, _ literals: [UInt8]) {
        self.literals = literals
        var steps: [Step] = []
        var literal = 0..<0
        for element in tail {
            guard let field = element.field else {
                guard literal.isEmpty else { return nil }
                literal = element.range
                continue
            }
            guard element.width == 0, !literal.isEmpty || steps.isEmpty else { return nil }
            steps.append(
                Step(
                    field: field, longest: field.longest, isRaw: field.isRaw && field != .rest, literal: literal,
                    last: literal.isEmpty ? 0 : literals[literal.upperBound - 1]))
            literal = 0..<0
        }
        guard !steps.isEmpty else { return nil }
        self.steps = steps.reversed()
        closing = literal
    }

    /// Reads the fields between two offsets. False when a literal was not at the first place; the fields then say nothing.
    func read(_ bytes: Bytes, _ from: Int, _ to: Int, _ fields: inout PrefixFields) -> Bool {
        literals.withUnsafeBufferPointer { literals in
            steps.withUnsafeBufferPointer { steps in
                var end = to - closing.count
                guard end >= from, bytes.hasText(literals, closing, at: end) else { return false }
                for index in 0..<steps.count - 1 {
                    let step = steps[index]
                    let length = step.literal.count
                    let lowest = max(from + length, end - step.longest)
                    var start = end
                    while true {
                        guard start >= lowest, let found = bytes.last(step.last, in: lowest - 1..<start) else {
                            return false
                        }
                        start = found + 1
                        if bytes.hasText(literals, step.literal, at: start - length),
                            PrefixTail.fits(step, bytes, start..<end)
                        {
                            break
                        }
                        start -= 1
                    }
                    fields[step.field] = start..<end
                    end = start - length
                }
                let first = steps[steps.count - 1]
                let start = from + first.literal.count
                guard start <= end, end - start <= first.longest, bytes.hasText(literals, first.literal, at: from),
                    PrefixTail.fits(first, bytes, start..<end)
                else { return false }
                fields[first.field] = start..<end
                return true
            }
        }
    }

    @inline(__always)
    private static func fits(_ step: Step, _ bytes: Bytes, _ range: Range<Int>) -> Bool {
        step.isRaw || PrefixShape.fits(step.field, bytes, range, width: 0)
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// True when that part of a text stands there; the place is inside.
    @inline(__always)
    fileprivate func hasText(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, at place: Int) -> Bool {
        guard place + range.count <= count else { return false }
        var index = range.lowerBound
        var at = place
        while index < range.upperBound {
            if self[at] != text[index] { return false }
            index += 1
            at += 1
        }
        return true
    }
}
