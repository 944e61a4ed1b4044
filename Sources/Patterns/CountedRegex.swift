import CPCRE2

/// A pattern whose matches count their steps, each byte that a step goes forward included, and give up beyond some for
/// each byte of the text. Slower than `Regex`, which asks for it only where PCRE2's own limits do not bound the time:
/// these hold for each place where a match may begin, and of those a text has as many as bytes.
final class CountedRegex: @unchecked Sendable {
    // Unchecked: used by one thread at a time, under the lock of its `Regex`.
    private let code: OpaquePointer
    private let context: OpaquePointer?

    /// Memory for places to go back to, in KiB.
    static let heapLimit: UInt32 = 16 << 10

    /// Steps that a text may cost. An ordinary pattern takes fewer than ten for each byte.
    private static func limit(_ count: Int) -> Int { 1_000_000 + 30 * count }

    /// What a match has cost so far.
    private struct Steps {
        var left: Int
        var place = 0
    }

    /// Compiles a pattern that `Regex` could compile.
    init?(_ pattern: String) {
        var number: Int32 = 0
        var offset = 0
        let bytes = Array(pattern.utf8)
        let options = Regex.options | UInt32(PCRE2_AUTO_CALLOUT)
        guard let code = pcre2_compile_8(bytes, bytes.count, options, &number, &offset, nil) else { return nil }
        pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
        self.code = code
        context = pcre2_match_context_create_8(nil)
        pcre2_set_match_limit_8(context, .max)
        pcre2_set_heap_limit_8(context, CountedRegex.heapLimit)
    }

    deinit {
        pcre2_match_context_free_8(context)
        pcre2_code_free_8(code)
    }

    /// As pcre2_match(3): not below 0 when the text matches, `PCRE2_ERROR_NOMATCH` when not, less when it gave up.
    func match(_ text: UnsafePointer<UInt8>, _ count: Int, _ data: OpaquePointer) -> Int32 {
        let found = match(text, count, data, options: 0)
        // The stack of compiled code is small, and whether there is compiled code must not matter.
        return found == PCRE2_ERROR_JIT_STACKLIMIT
            ? match(text, count, data, options: UInt32(PCRE2_NO_JIT)) : found
    }

    private func match(
        _ text: UnsafePointer<UInt8>, _ count: Int, _ data: OpaquePointer, options: UInt32
    ) -> Int32 {
        var steps = Steps(left: CountedRegex.limit(count))
        return withUnsafeMutablePointer(to: &steps) { steps in
            pcre2_set_callout_8(
                context,
                { block, steps in
                    guard let block, let steps = steps?.assumingMemoryBound(to: Steps.self) else { return 0 }
                    let place = block.pointee.current_position
                    steps.pointee.left -= 1 + max(0, place - steps.pointee.place)
                    steps.pointee.place = place
                    return steps.pointee.left > 0 ? 0 : PCRE2_ERROR_MATCHLIMIT
                }, steps)
            return pcre2_match_8(code, text, count, 0, options, data, context)
        }
    }
}
