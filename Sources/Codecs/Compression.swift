/// How the bytes of a file are packed. Found by the first bytes, never by the name.
public enum Compression: String, CaseIterable, Sendable {
    /// RFC 1952; one or more members.
    case gzip
    /// RFC 8878; one or more frames.
    case zstd
    /// The .xz file format 1.2; one or more streams, with padding between them.
    case xz
    /// bzip2 1.0; one or more streams.
    case bzip2
    /// LZ4 frame format 1.6; one or more frames. The legacy format is not read.
    case lz4

    /// Bytes of a file's start that decide.
    public static let headLength = 64

    /// Names end like this when their content is packed so; only used to see what a packed file was called before.
    public static let suffixes = [".gz", ".zst", ".zstd", ".xz", ".bz2", ".lz4"]

    /// How a file that starts like this is packed; nil when it is not, as far as we can read it.
    public static func detect(_ head: ArraySlice<UInt8>) -> Compression? {
        allCases.first { compression in
            compression.magics.contains { $0.matches(head) && head.count >= $0.bytes.count }
        } ?? skippable(head)
    }

    /// True when a frame may start with these bytes, however few they are.
    public func mayStart(_ bytes: some Collection<UInt8>) -> Bool {
        let head = Array(bytes.prefix(Compression.headLength))[...]
        let skips = self == .zstd || self == .lz4
        return magics.contains { $0.matches(head) } || (skips && Magic.skippable.matches(head))
    }

    /// Skippable frames are the same in zstd and lz4: what follows decides.
    private static func skippable(_ head: ArraySlice<UInt8>) -> Compression? {
        guard Magic.skippable.matches(head), head.count >= 8 else { return nil }
        let length = head.dropFirst(4).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length + 8 < head.count else { return .zstd }
        return detect(head.dropFirst(8 + length))
    }

    private var magics: [Magic] {
        switch self {
        // The third byte is the method, always deflate; of the flags three bits are reserved.
        case .gzip: [Magic([0x1F, 0x8B, 0x08, 0x00], mask: [0xFF, 0xFF, 0xFF, 0xE0])]
        case .zstd: [Magic([0x28, 0xB5, 0x2F, 0xFD])]
        case .xz: [Magic([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00])]
        // "BZh", the block size "1"…"9", then a block or the end.
        case .bzip2:
            [
                Magic([0x42, 0x5A, 0x68, 0x30, 0x31, 0x41, 0x59], mask: [255, 255, 255, 0xF0, 255, 255, 255]),
                Magic([0x42, 0x5A, 0x68, 0x30, 0x17, 0x72, 0x45], mask: [255, 255, 255, 0xF0, 255, 255, 255]),
            ]
        case .lz4: [Magic([0x04, 0x22, 0x4D, 0x18])]
        }
    }
}

/// The bytes that a format starts with.
private struct Magic {
    let bytes: [UInt8]
    let mask: [UInt8]

    static let skippable = Magic([0x50, 0x2A, 0x4D, 0x18], mask: [0xF0, 255, 255, 255])

    init(_ bytes: [UInt8], mask: [UInt8]? = nil) {
        self.bytes = bytes
        self.mask = mask ?? bytes.map { _ in 255 }
    }

    /// True when as much of it as is there is the same.
    func matches(_ head: ArraySlice<UInt8>) -> Bool {
        !head.isEmpty && zip(head, zip(bytes, mask)).allSatisfy { $0 & $1.1 == $1.0 & $1.1 }
    }
}

/// Files that hold other files: nothing of them is read.
public enum Container {
    /// What it is, when the first bytes are those of such a file.
    public static func describe(_ head: [UInt8]) -> String? {
        let known: [(offset: Int, bytes: [UInt8], name: String)] = [
            (257, Array("ustar".utf8), "a tar archive"),
            (0, [0x50, 0x4B, 0x03, 0x04], "a zip archive"),
            (0, [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "a 7z archive"),
            (0, Array("Rar!".utf8), "a rar archive"),
            (0, [0x1F, 0x9D], "packed by compress(1)"),
            (0, [0x02, 0x21, 0x4C, 0x18], "packed in the legacy format of lz4"),
            (0, [0x89, 0x4C, 0x5A, 0x4F], "packed by lzop"),
        ]
        return known.first { head.dropFirst($0.offset).starts(with: $0.bytes) }?.name
    }
}
