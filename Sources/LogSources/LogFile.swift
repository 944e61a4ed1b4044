import Glibc

/// An open log file, read forward from an offset. A pipe or terminal is read too, but only from where it is.
public final class LogFile: @unchecked Sendable {
    // Unchecked: opened by one thread and then read by one other; never by two at a time.
    /// The path as named; `-` for standard input.
    public let path: String
    /// Device and inode; nil for a stream.
    public let device: Int64?
    /// Inode; nil for a stream.
    public let inode: Int64?
    /// Offset of the next byte.
    public private(set) var offset: Int64
    private let descriptor: Int32
    /// What was taken from a stream to look at its head, and is still to be read.
    private var ahead: [UInt8] = []

    /// Opens a file for reading. Throws `SourceProblem` for what is no readable file.
    public init(path: String) throws {
        self.path = path
        offset = 0
        if path == "-" {
            descriptor = dup(0)
            device = nil
            inode = nil
            return
        }
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { throw SourceProblem.system(path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw SourceProblem.system(path, code)
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            device = Int64(bitPattern: UInt64(status.st_dev))
            inode = Int64(bitPattern: UInt64(status.st_ino))
        case S_IFIFO, S_IFCHR, S_IFSOCK:
            device = nil
            inode = nil
        default:
            close(descriptor)
            throw SourceProblem(path: path, reason: "this is a folder or a device", hint: "name a log file")
        }
        // Only opening must not wait (for a pipe's other end); reading may.
        if device == nil { _ = fcntl(descriptor, F_SETFL, 0) }
    }

    deinit { close(descriptor) }

    /// True for a regular file, which can be read again.
    public var isRegular: Bool { inode != nil }

    /// Bytes in the file now; nil for a stream.
    public var size: Int64? {
        var status = stat()
        guard isRegular, fstat(descriptor, &status) == 0 else { return nil }
        return Int64(status.st_size)
    }

    /// Seconds since a regular file was last written to.
    public var age: Double? {
        var status = stat()
        var now = timespec()
        guard isRegular, fstat(descriptor, &status) == 0, clock_gettime(CLOCK_REALTIME, &now) == 0 else { return nil }
        return Double(now.tv_sec - status.st_mtim.tv_sec) + Double(now.tv_nsec - status.st_mtim.tv_nsec) / 1e9
    }

    /// Up to that many bytes from the start of the file, or from where a stream is before its first reading.
    public func head(_ count: Int) throws -> [UInt8] {
        guard isRegular else { return try lookAhead(count) }
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress?.advanced(by: filled), count - filled, off_t(filled))
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw SourceProblem.system(path) }
            if got == 0 { break }
            filled += got
        }
        return Array(bytes.prefix(filled))
    }

    private func lookAhead(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        while ahead.count < count {
            let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, count - ahead.count) }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw SourceProblem.system(path) }
            if got == 0 { break }
            ahead += bytes.prefix(got)
        }
        return Array(ahead.prefix(count))
    }

    /// Goes to an offset of a regular file.
    public func seek(to offset: Int64) { self.offset = offset }

    /// Reads the next bytes into a buffer; gives how many, 0 at the end of what is there.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if !ahead.isEmpty {
            let count = min(ahead.count, buffer.count)
            buffer.copyBytes(from: ahead.prefix(count))
            ahead.removeFirst(count)
            offset += Int64(count)
            return count
        }
        while true {
            let got =
                isRegular
                ? pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
                : Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw SourceProblem.system(path) }
            offset += Int64(got)
            return got
        }
    }
}
