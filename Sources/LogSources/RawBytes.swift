import Glibc

/// An open file as the operating system gives it: bytes at any offset of a regular file, or the next ones of a stream.
final class RawBytes: @unchecked Sendable {
    // Unchecked: the descriptor never changes, and a stream is read by one thread at a time.
    let isRegular: Bool
    let device: Int64?
    let inode: Int64?
    private let descriptor: Int32
    private let path: String
    /// What was taken from a stream to look at its head, and is still to be read.
    private var ahead: [UInt8] = []

    /// Opens a file for reading, `-` for standard input. Throws `SourceProblem` for what is no readable file.
    init(path: String) throws {
        self.path = path
        if path == "-" {
            descriptor = dup(0)
            (isRegular, device, inode) = (false, nil, nil)
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
            isRegular = true
            device = Int64(bitPattern: UInt64(status.st_dev))
            inode = Int64(bitPattern: UInt64(status.st_ino))
        case S_IFIFO, S_IFCHR, S_IFSOCK:
            (isRegular, device, inode) = (false, nil, nil)
            // Only opening must not wait (for a pipe's other end); reading may.
            _ = fcntl(descriptor, F_SETFL, 0)
        default:
            close(descriptor)
            throw SourceProblem(path: path, reason: "this is a folder or a device", hint: "name a log file")
        }
    }

    deinit { close(descriptor) }

    /// What the file system says now; nil for a stream.
    var status: stat? {
        var status = stat()
        return isRegular && fstat(descriptor, &status) == 0 ? status : nil
    }

    /// Reads into a buffer, from an offset of a regular file; gives how many bytes, 0 at the end of what is there.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        if !ahead.isEmpty {
            let count = min(ahead.count, buffer.count)
            buffer.copyBytes(from: ahead.prefix(count))
            ahead.removeFirst(count)
            return count
        }
        return try take(into: buffer, at: offset)
    }

    /// Up to that many bytes from the start of a regular file, or from where a stream is; a stream keeps them.
    func head(_ count: Int) throws -> [UInt8] {
        var bytes = isRegular ? [] : ahead
        let kept = min(bytes.count, count)
        bytes += [UInt8](repeating: 0, count: max(0, count - kept))
        let filled = try bytes.withUnsafeMutableBytes { buffer in
            var filled = kept
            while filled < count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<count])
                let got = try take(into: rest, at: Int64(filled))
                if got == 0 { break }
                filled += got
            }
            return filled
        }
        if !isRegular, filled > ahead.count { ahead = Array(bytes.prefix(filled)) }
        return Array(bytes.prefix(filled))
    }

    /// SEEK_DATA of lseek(2), which Glibc does not show.
    private static let seekData: Int32 = 3

    /// Up to that many bytes from the first one of a regular file that is not zero. Who writes on where he was after
    /// somebody has cut the file (logrotate's copytruncate) leaves a hole there.
    func headBehindHole(_ count: Int) throws -> [UInt8] {
        let head = try head(count)
        guard isRegular, head.first == 0 else { return head }
        // A hole takes no room on the disk, and no time here (lseek(2), SEEK_DATA).
        var at = Int64(max(0, lseek(descriptor, 0, RawBytes.seekData)))
        var block = [UInt8](repeating: 0, count: max(count, 64 << 10))
        while true {
            let got = try block.withUnsafeMutableBytes { try take(into: $0, at: at) }
            if got == 0 { return [] }
            guard let first = block[..<got].firstIndex(where: { $0 != 0 }) else {
                at += Int64(got)
                continue
            }
            let filled = try block.withUnsafeMutableBytes { try take(into: $0, at: at + Int64(first)) }
            return Array(block.prefix(min(filled, count)))
        }
    }

    private func take(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        while true {
            let got =
                isRegular
                ? pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
                : Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw SourceProblem.system(path) }
            return got
        }
    }
}
