import CPCRE2
import Synchronization

/// A compiled PCRE2 pattern over bytes. Whatever the pattern and the text, a match costs no more than some steps for each
/// byte: one that would gives up, matches nothing, and is counted. The only places that touch PCRE2's memory are this and
/// `CountedRegex`.
public final class Regex: @unchecked Sendable {
    // Unchecked: a compiled code is read-only and thread-safe by PCRE2's documentation (pcre2api, MULTITHREADING);
    // match data is made for each match.
    private let code: OpaquePointer
    /// The same with its steps counted: made when a match is the first to need it.
    private let counted = Mutex<CountedRegex?>(nil)
    private let refusals = Atomic<Int>(0)
    /// Names of the groups, with their numbers.
    public let groups: [(name: String, number: Int)]
    /// The text it was made from.
    public let source: String

    /// How every pattern is compiled.
    static let options = UInt32(PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C)

    /// Why a pattern cannot be compiled.
    public struct Problem: Error, Sendable {
        /// PCRE2's words.
        public let message: String
        /// Byte offset in the pattern.
        public let offset: Int
    }

    /// Compiles a pattern (pcre2pattern(3)) for bytes; `.` matches line feeds too, since columns hold them.
    public init(_ pattern: String) throws(Problem) {
        var number: Int32 = 0
        var offset = 0
        let bytes = Array(pattern.utf8)
        guard let code = pcre2_compile_8(bytes, bytes.count, Regex.options, &number, &offset, nil) else {
            var text = [UInt8](repeating: 0, count: 256)
            pcre2_get_error_message_8(number, &text, text.count)
            throw Problem(message: String(decoding: text.prefix { $0 != 0 }, as: UTF8.self), offset: offset)
        }
        // Without JIT (hardened systemd units forbid it) the interpreter does the same, slower.
        pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
        self.code = code
        source = pattern
        groups = Regex.groupNames(code)
    }

    deinit { pcre2_code_free_8(code) }

    /// How many matches gave up so far.
    public var gaveUp: Int { refusals.load(ordering: .relaxed) }

    private static func groupNames(_ code: OpaquePointer) -> [(name: String, number: Int)] {
        var count: UInt32 = 0
        var size: UInt32 = 0
        var table: UnsafePointer<UInt8>?
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMECOUNT), &count)
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE), &size)
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
        guard let table else { return [] }
        return (0..<Int(count)).map { index in
            let entry = table + index * Int(size)
            return (String(cString: entry + 2), Int(entry[0]) << 8 | Int(entry[1]))
        }
    }

    /// Where matches are noted: made once by who matches often, used by one thread at a time.
    public final class Scratch {
        fileprivate let data: OpaquePointer?

        /// Room for sixteen groups.
        public init() { data = pcre2_match_data_create_8(16, nil) }

        deinit { pcre2_match_data_free_8(data) }
    }

    /// True when the text matches; false too when the match gave up.
    public func match(_ text: UnsafeBufferPointer<UInt8>, _ scratch: Scratch) -> Bool {
        guard let data = scratch.data else { return false }
        // PCRE2 takes no null pointer, not even for an empty subject.
        guard let start = text.baseAddress else { return match([], scratch) }
        return holds(start, text.count, data)
    }

    /// True when the text matches; false too when the match gave up. `body` gets the named groups that took part.
    @discardableResult
    public func match(
        _ text: [UInt8], _ scratch: Scratch = Scratch(),
        _ body: (_ group: String, _ range: Range<Int>) -> Void = { _, _ in }
    ) -> Bool {
        guard let data = scratch.data, holds(text, text.count, data) else { return false }
        let offsets = pcre2_get_ovector_pointer_8(data)
        for (name, number) in groups where number < 16 {
            guard let from = offsets?[number * 2], let to = offsets?[number * 2 + 1], from >= 0, from <= to else {
                continue
            }
            body(name, from..<to)
        }
        return true
    }

    // MARK: - Limits

    /// Longer texts are matched with every step counted: PCRE2's own limits hold for each place where a match may begin,
    /// and runs of one class count as nothing there.
    private static let shortText = 16 << 10
    /// Steps of all places of a short text together.
    private static let shortWork: UInt32 = 4_000_000

    /// Limits for texts of up to 256 bytes, and four times as many each. They are read only.
    private static let contexts = (0..<4).map { power in
        let context = pcre2_match_context_create_8(nil)
        pcre2_set_match_limit_8(context, shortWork / (256 << UInt32(2 * power)))
        pcre2_set_heap_limit_8(context, CountedRegex.heapLimit)
        return Limits(context: context)
    }

    private struct Limits: @unchecked Sendable {
        let context: OpaquePointer?
    }

    private func holds(_ text: UnsafePointer<UInt8>, _ count: Int, _ data: OpaquePointer) -> Bool {
        if count <= Regex.shortText {
            let power = count <= 256 ? 0 : count <= 1024 ? 1 : count <= 4096 ? 2 : 3
            let found = pcre2_match_8(code, text, count, 0, 0, data, Regex.contexts[power].context)
            if found >= PCRE2_ERROR_NOMATCH { return found >= 0 }
        }
        let found = counted.withLock { counted in
            if counted == nil { counted = CountedRegex(source) }
            return counted?.match(text, count, data) ?? PCRE2_ERROR_NOMEMORY
        }
        if found < PCRE2_ERROR_NOMATCH { refusals.add(1, ordering: .relaxed) }
        return found >= 0
    }
}
