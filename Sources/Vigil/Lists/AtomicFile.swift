import Foundation

/// Replaces files whole: whoever reads one sees the old text or the new, also after a power cut.
enum AtomicFile {
    /// Writes a text, unless the file holds it already; false then. A new file has mode 0644; one that is there keeps
    /// mode and owner. A link stays one, and the file it leads to is replaced.
    static func write(_ text: String, to path: String) throws -> Bool {
        let bytes = Data(text.utf8)
        if FileManager.default.contents(atPath: path) == bytes { return false }
        let target = realpath(path, nil).map { pointer -> String in
            defer { free(pointer) }
            return String(cString: pointer)
        }
        let real = target ?? path
        var status = stat()
        let isThere = stat(real, &status) == 0
        let temporary = real + ".pgvigil-\(getpid())"
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw ListProblem.system(temporary) }
        do {
            defer { close(file) }
            try put(bytes, into: file, path: temporary)
            if isThere, status.st_uid != getuid() || status.st_gid != getgid() {
                guard fchown(file, status.st_uid, status.st_gid) == 0 else {
                    throw ListProblem.system("\(path): its owner cannot be kept")
                }
            }
            guard fchmod(file, isThere ? status.st_mode & 0o7777 : 0o644) == 0, fsync(file) == 0,
                rename(temporary, real) == 0
            else { throw ListProblem.system(path) }
        } catch {
            unlink(temporary)
            throw error
        }
        syncFolder(of: real)
        return true
    }

    /// Adds lines at the end, in one write.
    static func append(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard file >= 0 else { throw ListProblem.system(path) }
        defer { close(file) }
        try put(Data(text.utf8), into: file, path: path)
        guard fsync(file) == 0 else { throw ListProblem.system(path) }
    }

    private static func put(_ bytes: Data, into file: Int32, path: String) throws {
        try bytes.withUnsafeBytes { buffer in
            var from = 0
            while from < buffer.count {
                let count = Foundation.write(file, buffer.baseAddress?.advanced(by: from), buffer.count - from)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw ListProblem.system(path) }
                from += count
            }
        }
    }

    /// The new name must be on the disk, too.
    private static func syncFolder(of path: String) {
        let folder = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }
}
