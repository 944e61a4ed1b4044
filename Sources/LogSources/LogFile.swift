import Codecs
import Glibc

/// An open log file, read forward from an offset. A pipe or terminal is read too, but only from where it is. A file
/// that is packed is unpacked on the way: offsets and bytes are those of what is in it.
public final class LogFile: @unchecked Sendable {
    // Unchecked: opened by one thread and then read by one other; never by two at a time, but for `head` of a regular
    // file, which leaves the reading alone.
    /// The path as named; `-` for standard input.
    public let path: String
    /// How it is packed. A stream's is known once its head was looked at.
    public private(set) var compression: Compression?
    /// Offset of the next byte.
    public private(set) var offset: Int64 = 0
    private let bytes: RawBytes
    private var unpacker: Unpacker?
    /// Where the unpacker is, in unpacked bytes.
    private var unpacked: Int64 = 0
    /// What was unpacked of a stream to look at its head, and is still to be read.
    private var ahead: [UInt8] = []
    private var isLookedAt = false

    /// Opens a file for reading. Throws `SourceProblem` for what is no readable file.
    public init(path: String) throws {
        self.path = path
        bytes = try RawBytes(path: path)
        if bytes.isRegular { try look() }
    }

    /// Device; nil for a stream.
    public var device: Int64? { bytes.device }
    /// Inode; nil for a stream.
    public var inode: Int64? { bytes.inode }
    /// True for a regular file, which can be read again.
    public var isRegular: Bool { bytes.isRegular }
    /// True for a packed file or stream.
    public var isArchive: Bool { compression != nil }

    /// Bytes that the file takes on the disk now, packed as it is; nil for a stream.
    public var size: Int64? { bytes.status.map { Int64($0.st_size) } }

    /// Bytes of `size` that reading has come past.
    public var consumed: Int64 { isArchive ? unpacker?.taken ?? 0 : offset }

    /// True when no name leads to the file any more: it goes when it is closed.
    public var isDeleted: Bool { bytes.status.map { $0.st_nlink == 0 } ?? false }

    /// Seconds since a regular file was last written to.
    public var age: Double? {
        var now = timespec()
        guard let written = bytes.status?.st_mtim, clock_gettime(CLOCK_REALTIME, &now) == 0 else { return nil }
        return Double(now.tv_sec - written.tv_sec) + Double(now.tv_nsec - written.tv_nsec) / 1e9
    }

    /// What the file was called before it was packed.
    public var unpackedPath: String {
        guard isArchive, let suffix = Compression.suffixes.first(where: path.hasSuffix) else { return path }
        return String(path.dropLast(suffix.count))
    }

    /// Up to that many bytes from the start of the file, or from where a stream is before its first reading. Of an
    /// archive that is torn there, what can be had; throws when that is nothing.
    public func head(_ count: Int) throws -> [UInt8] {
        try look()
        guard isArchive else { return try bytes.head(count) }
        if bytes.isRegular { return try LogFile.fill(count, [], from: newUnpacker()) }
        ahead = try LogFile.fill(count, ahead, from: currentUnpacker())
        return Array(ahead.prefix(count))
    }

    /// Goes to an offset of a regular file. In an archive the way there is unpacked and thrown away.
    public func seek(to offset: Int64) { self.offset = offset }

    /// Reads the next bytes into a buffer; gives how many, 0 at the end of what is there.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try look()
        let count: Int
        if !ahead.isEmpty {
            count = min(ahead.count, buffer.count)
            buffer.copyBytes(from: ahead.prefix(count))
            ahead.removeFirst(count)
        } else if isArchive {
            guard try unpack(to: offset) else { return 0 }
            count = try currentUnpacker().read(into: buffer)
            unpacked += Int64(count)
        } else {
            count = try bytes.read(into: buffer, at: offset)
        }
        offset += Int64(count)
        return count
    }

    /// Bytes that can be read of a regular file from its start: all of an archive is unpacked to see. A fault at its end
    /// is for who reads it.
    public func unpackedLength() -> Int64 {
        guard isArchive else { return size ?? 0 }
        let whole = newUnpacker()
        var block = [UInt8](repeating: 0, count: 256 << 10)
        var length: Int64 = 0
        while let count = try? block.withUnsafeMutableBytes({ try whole.read(into: $0) }), count > 0 {
            length += Int64(count)
        }
        return length
    }

    /// Sees by the first bytes whether the file is packed.
    private func look() throws {
        guard !isLookedAt else { return }
        compression = Compression.detect(try bytes.head(Compression.headLength)[...])
        isLookedAt = true
    }

    /// Brings the unpacker of a regular file to an offset; false when the archive ends before it.
    private func unpack(to offset: Int64) throws -> Bool {
        guard bytes.isRegular, unpacked != offset else { return true }
        if unpacked > offset {
            unpacker = nil
            unpacked = 0
        }
        let waste = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
        defer { waste.deallocate() }
        while unpacked < offset {
            let rest = min(Int64(waste.count), offset - unpacked)
            let count = try currentUnpacker().read(into: UnsafeMutableRawBufferPointer(rebasing: waste[..<Int(rest)]))
            if count == 0 { return false }
            unpacked += Int64(count)
        }
        return true
    }

    private func currentUnpacker() -> Unpacker {
        if let unpacker { return unpacker }
        let new = newUnpacker()
        unpacker = new
        return new
    }

    /// An unpacker at the start of the file.
    private func newUnpacker() -> Unpacker {
        let bytes = bytes
        var at: Int64 = 0
        return Unpacker(compression ?? .gzip, path: path) { buffer in
            let count = try bytes.read(into: buffer, at: at)
            at += Int64(count)
            return count
        }
    }

    /// As many bytes as there are of those wanted; a fault behind some of them is for who reads on.
    private static func fill(_ count: Int, _ start: [UInt8], from unpacker: Unpacker) throws -> [UInt8] {
        var result = start
        var block = [UInt8](repeating: 0, count: count)
        while result.count < count {
            do {
                let got = try block.withUnsafeMutableBytes {
                    try unpacker.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<(count - result.count)]))
                }
                if got == 0 { break }
                result += block.prefix(got)
            } catch {
                guard !result.isEmpty else { throw error }
                break
            }
        }
        return result
    }
}
