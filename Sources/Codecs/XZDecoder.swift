import CCompression

/// xz by liblzma.
final class XZDecoder: FrameDecoder {
    private let stream = UnsafeMutablePointer<lzma_stream>.allocate(capacity: 1)

    // All zeroes is LZMA_STREAM_INIT.
    init() { stream.initialize(to: lzma_stream()) }

    deinit {
        lzma_end(stream)
        stream.deallocate()
    }

    func begin() -> String? {
        lzma_stream_decoder(stream, UInt64(Compression.windowLimit), 0) == LZMA_OK ? nil : "no memory"
    }

    func decode(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> DecodingStep {
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = input.count
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = output.count
        let code = lzma_code(stream, LZMA_RUN)
        var step = DecodingStep(
            taken: input.count - stream.pointee.avail_in, made: output.count - stream.pointee.avail_out)
        switch code {
        // No progress is no fault: more input may come.
        case LZMA_OK, LZMA_BUF_ERROR: break
        case LZMA_STREAM_END: step.isFrameEnd = true
        case LZMA_MEMLIMIT_ERROR: step.fault = "it needs more than \(Compression.windowLimit >> 20) MB to unpack"
        case LZMA_OPTIONS_ERROR: step.fault = "it is packed in a way that liblzma does not know"
        default: step.fault = "the data is wrong"
        }
        return step
    }
}
