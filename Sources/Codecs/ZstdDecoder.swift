import CCompression

/// zstd by libzstd.
final class ZstdDecoder: FrameDecoder {
    private let context = ZSTD_createDCtx()
    /// What the library wants next: one block. More at a time, and the blocks before a broken one would be lost.
    private var wanted = 0

    deinit { ZSTD_freeDCtx(context) }

    func begin() -> String? {
        guard let context else { return "no memory" }
        wanted = ZSTD_initDStream(context)
        return fault(wanted)
    }

    func decode(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> DecodingStep {
        var given = ZSTD_inBuffer(src: input.baseAddress, size: min(input.count, max(1, wanted)), pos: 0)
        var room = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let result = ZSTD_decompressStream(context, &room, &given)
        let fault = fault(result)
        wanted = fault == nil ? result : 0
        return DecodingStep(taken: given.pos, made: room.pos, isFrameEnd: result == 0, fault: fault)
    }

    private func fault(_ result: Int) -> String? {
        ZSTD_isError(result) == 0 ? nil : String(cString: ZSTD_getErrorName(result))
    }
}
