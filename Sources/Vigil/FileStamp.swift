import Glibc

/// What tells that a path leads to another file by now, or that the file has changed.
struct FileStamp: Equatable {
    var device, inode, size: Int64
    /// When it was last written to, in nanoseconds since the Unix epoch.
    var written: Int64

    /// Nil when nothing is there.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = Int64(bitPattern: UInt64(status.st_dev))
        inode = Int64(bitPattern: UInt64(status.st_ino))
        size = Int64(status.st_size)
        written = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
    }

    /// Seconds since it was last written to.
    var age: Double {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec) &- written) / 1e9
    }

    /// True for the same file, whatever became of it.
    func isSameFile(_ other: FileStamp) -> Bool { device == other.device && inode == other.inode }
}
