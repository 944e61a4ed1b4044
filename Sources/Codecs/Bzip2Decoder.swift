import CCompression

/// bzip2 by libbz2.
final class Bzip2Decoder: FrameDecoder {
    // libbz2 remembers the address of its stream.
    private let stream = UnsafeMutablePointer<bz_stream>.allocate(capacity: 1)
    private var isOpen = false

    init() { stream.initialize(to: bz_stream()) }

    deinit {
        if isOpen { BZ2_bzDecompressEnd(stream) }
        stream.deallocate()
    }

    func begin() -> String? {
        if isOpen { BZ2_bzDecompressEnd(stream) }
        stream.pointee = bz_stream()
        isOpen = BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK
        return isOpen ? nil : "no memory"
    }

    func decode(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> DecodingStep {
        // libbz2 only reads its input.
        let start = UnsafeMutableRawPointer(mutating: input.baseAddress)
        stream.pointee.next_in = start?.assumingMemoryBound(to: CChar.self)
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: CChar.self)
        stream.pointee.avail_out = UInt32(clamping: output.count)
        let room = Int(stream.pointee.avail_out)
        let code = BZ2_bzDecompress(stream)
        var step = DecodingStep()
        step.taken = input.count - Int(stream.pointee.avail_in)
        step.made = room - Int(stream.pointee.avail_out)
        switch code {
        case BZ_OK: break
        case BZ_STREAM_END: step.isFrameEnd = true
        case BZ_MEM_ERROR: step.fault = "no memory"
        default: step.fault = "the data is wrong"
        }
        return step
    }
}
