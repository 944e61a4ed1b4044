/// Undoes one compression, frame by frame (gzip calls it member, xz and bzip2 stream).
public protocol FrameDecoder: AnyObject {
    /// Gets ready for the next frame; gives what is wrong when it cannot.
    func begin() -> String?
    /// Decodes what it can. Whatever was made counts even when there is a fault behind it.
    func decode(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> DecodingStep
}

/// What one call of a decoder did.
public struct DecodingStep {
    /// Bytes taken from the input.
    public var taken = 0
    /// Bytes put into the output.
    public var made = 0
    /// The frame is whole; its checksum, where it has one, is right.
    public var isFrameEnd = false
    /// Why nothing more can be decoded.
    public var fault: String?
}

extension Compression {
    /// What a decoder may use of memory for its window, in bytes: far above what the tools' defaults ask for. Larger
    /// windows need a switch in the tools, too.
    public static let windowLimit = 256 << 20

    /// A new decoder.
    public func decoder() -> any FrameDecoder {
        switch self {
        case .gzip: GzipDecoder()
        case .zstd: ZstdDecoder()
        case .xz: XZDecoder()
        case .bzip2: Bzip2Decoder()
        case .lz4: LZ4Decoder()
        }
    }
}
