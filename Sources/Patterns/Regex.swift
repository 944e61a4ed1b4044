import CPCRE2

/// A compiled PCRE2 pattern over bytes, with limits that keep hostile text from costing more than its length.
/// The only place that touches PCRE2's memory.
public final class Regex: @unchecked Sendable {
    // Unchecked: a compiled code is read-only and thread-safe by PCRE2's documentation (pcre2api, MULTITHREADING);
    // match data is made for each match.
    private let code: OpaquePointer
    private let context: OpaquePointer?
    /// Names of the groups, with their numbers.
    public let groups: [(name: String, number: Int)]
    /// The text it was made from.
    public let source: String

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
        guard
            let code = pcre2_compile_8(
                bytes, bytes.count, UInt32(PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C), &number,
                &offset, nil)
        else {
            var text = [UInt8](repeating: 0, count: 256)
            pcre2_get_error_message_8(number, &text, text.count)
            throw Problem(message: String(decoding: text.prefix { $0 != 0 }, as: UTF8.self), offset: offset)
        }
        // Without JIT (hardened systemd units forbid it) the interpreter does the same, slower.
        pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
        self.code = code
        context = pcre2_match_context_create_8(nil)
        pcre2_set_match_limit_8(context, 1_000_000)
        pcre2_set_depth_limit_8(context, 10_000)
        source = pattern
        groups = Regex.groupNames(code)
    }

    deinit {
        pcre2_match_context_free_8(context)
        pcre2_code_free_8(code)
    }

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

    /// True when the text matches; false too when the limits were hit.
    public func match(_ text: UnsafeBufferPointer<UInt8>, _ scratch: Scratch) -> Bool {
        guard let data = scratch.data else { return false }
        // PCRE2 takes no null pointer, not even for an empty subject.
        guard let start = text.baseAddress else { return match([], scratch) }
        return pcre2_match_8(code, start, text.count, 0, 0, data, context) >= 0
    }

    /// True when the text matches; false too when the limits were hit. `body` gets the named groups that took part.
    @discardableResult
    public func match(
        _ text: [UInt8], _ scratch: Scratch = Scratch(),
        _ body: (_ group: String, _ range: Range<Int>) -> Void = { _, _ in }
    ) -> Bool {
        guard let data = scratch.data, pcre2_match_8(code, text, text.count, 0, 0, data, context) >= 0 else {
            return false
        }
        let offsets = pcre2_get_ovector_pointer_8(data)
        for (name, number) in groups where number < 16 {
            guard let from = offsets?[number * 2], let to = offsets?[number * 2 + 1], from >= 0, from <= to else {
                continue
            }
            body(name, from..<to)
        }
        return true
    }
}
