import CCompression

/// LZ4 frames by liblz4.
final class LZ4Decoder: FrameDecoder {
    private var context: OpaquePointer?
    /// What the library wants next: one block. More at a time, and the blocks before a broken one would be lost.
    private var wanted = 0

    deinit { LZ4F_freeDecompressionContext(context) }

    func begin() -> String? {
        if let context {
            LZ4F_resetDecompressionContext(context)
        } else if let fault = fault(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) {
            return fault
        }
        // The shortest header (lz4frame.h, LZ4F_HEADER_SIZE_MIN).
        wanted = 7
        return nil
    }

    func decode(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> DecodingStep {
        var taken = min(input.count, max(1, wanted))
        var made = output.count
        let result = LZ4F_decompress(context, output.baseAddress, &made, input.baseAddress, &taken, nil)
        if let fault = fault(result) { return DecodingStep(fault: fault) }
        wanted = result
        return DecodingStep(taken: taken, made: made, isFrameEnd: result == 0)
    }

    private func fault(_ result: Int) -> String? {
        LZ4F_isError(result) == 0 ? nil : String(cString: LZ4F_getErrorName(result))
    }
}
