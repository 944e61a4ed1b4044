import Codecs

/// Unpacks a file or stream while it is read: frame after frame, with a buffer of fixed size, however much comes out.
///
/// Everything that can be decoded is handed out before a fault is told, down to the last byte before a tear.
final class Unpacker {
    /// Packed bytes taken so far.
    private(set) var taken: Int64 = 0
    private let compression: Compression
    private let decoder: any FrameDecoder
    private let path: String
    private let source: (UnsafeMutableRawBufferPointer) throws -> Int
    /// Packed bytes that wait; a frame's start is never split.
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
    private var waiting = 0..<0
    private var isInFrame = false
    private var fault: SourceProblem?

    /// Takes where packed bytes come from: `source` fills a buffer and gives how many, 0 at the end.
    init(_ compression: Compression, path: String, source: @escaping (UnsafeMutableRawBufferPointer) throws -> Int) {
        self.compression = compression
        self.path = path
        self.source = source
        decoder = compression.decoder()
    }

    deinit { input.deallocate() }

    /// Unpacks the next bytes into a buffer; gives how many, 0 at the end. Throws `SourceProblem` for what cannot be
    /// unpacked, once everything before it was handed out, and again at each later call.
    func read(into output: UnsafeMutableRawBufferPointer) throws -> Int {
        var made = 0
        while fault == nil, made < output.count {
            // What is there is worth more than a full buffer: a pipe may keep us waiting.
            if waiting.isEmpty, made > 0 { return made }
            if !isInFrame {
                guard try startFrame() else { break }
                if fault != nil { break }
            }
            // At the end of the file a decoder may still hold something.
            if waiting.isEmpty { _ = try refill() }
            let step = decoder.decode(
                UnsafeRawBufferPointer(rebasing: input[waiting]),
                into: UnsafeMutableRawBufferPointer(rebasing: output[made...]))
            made += step.made
            take(step.taken)
            if step.isFrameEnd { isInFrame = false }
            if let reason = step.fault { fault = corrupt(reason) }
            if step.taken == 0, step.made == 0, !step.isFrameEnd, step.fault == nil {
                // A decoder that has input and does nothing with it would keep us for ever.
                fault = waiting.isEmpty ? torn() : corrupt("the data leads nowhere")
            }
        }
        if made == 0, let fault { throw fault }
        return made
    }

    /// Goes to the start of the next frame; false at the end of the file.
    private func startFrame() throws -> Bool {
        repeat {
            if waiting.isEmpty, try refill() == 0 { return false }
            // Tapes, and the xz format, pad with zeroes.
            let padding = taken == 0 ? 0 : input[waiting].prefix { $0 == 0 }.count
            take(padding)
        } while waiting.isEmpty
        // A start that lies across two readings.
        while waiting.count < Compression.headLength, try refill() > 0 {}
        guard compression.mayStart(input[waiting]) else {
            fault = problem(
                "has bytes that are no \(compression) data behind the archive, from byte \(taken)",
                "everything before that was read; unpack it by hand to look at the rest")
            return true
        }
        if let reason = decoder.begin() { fault = corrupt(reason) }
        isInFrame = true
        return true
    }

    /// Brings more packed bytes in behind those that wait; gives how many.
    private func refill() throws -> Int {
        if waiting.lowerBound > 0 {
            input.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[waiting]))
            waiting = 0..<waiting.count
        }
        let got = try source(UnsafeMutableRawBufferPointer(rebasing: input[waiting.upperBound...]))
        waiting = 0..<waiting.upperBound + got
        return got
    }

    private func take(_ count: Int) {
        waiting = waiting.lowerBound + count..<waiting.upperBound
        taken += Int64(count)
    }

    private func torn() -> SourceProblem {
        problem(
            "ends in the middle of its \(compression) data, at byte \(taken)",
            "everything before that was read; when the file is still being written, read it again later, else look "
                + "for a whole copy")
    }

    private func corrupt(_ reason: String) -> SourceProblem {
        problem(
            "cannot be unpacked from byte \(taken) on (\(compression): \(reason))",
            "everything before that was read; look for a whole copy")
    }

    private func problem(_ reason: String, _ hint: String) -> SourceProblem {
        SourceProblem(path: path, reason: reason, hint: hint)
    }
}
