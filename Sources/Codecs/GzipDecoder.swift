import CCompression

/// gzip by zlib.
final class GzipDecoder: FrameDecoder {
    // zlib remembers the address of its stream.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private var isOpen = false

    init() { stream.initialize(to: z_stream()) }

    deinit {
        if isOpen { inflateEnd(stream) }
        stream.deallocate()
    }

    func begin() -> String? {
        if isOpen { return inflateReset(stream) == Z_OK ? nil : "zlib fails" }
        // The largest window, and gzip alone (zlib.h, inflateInit2).
        isOpen = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        return isOpen ? nil : "no memory"
    }

    func decode(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> DecodingStep {
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: Bytef.self)
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: Bytef.self)
        stream.pointee.avail_out = UInt32(clamping: output.count)
        let room = Int(stream.pointee.avail_out)
        let code = inflate(stream, Z_NO_FLUSH)
        var step = DecodingStep()
        step.taken = input.count - Int(stream.pointee.avail_in)
        step.made = room - Int(stream.pointee.avail_out)
        switch code {
        // No progress is no fault: more input may come.
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: step.isFrameEnd = true
        default: step.fault = stream.pointee.msg.map { String(cString: $0) } ?? "zlib's error \(code)"
        }
        return step
    }
}
