import Foundation

/// Where a file is, or will be: its folder, held open, and its name there. Found part by part, so that nobody who owns a
/// folder on the way leads elsewhere what is written with more rights than his own.
///
/// A link is followed only where nobody but root, or who runs this, could have put it: it and its folder belong to one of
/// these, and others cannot write there. So a link in /etc/haproxy is followed, and one in PostgreSQL's folder is not.
final class FilePlace {
    let folder: Int32
    let name: String
    private let path: String

    /// No chain of links is longer (path_resolution(7)).
    private static let linkLimit = 40

    /// `O_PATH` (open(2)), a macro that Swift does not see: a folder need not be readable to find what is in it.
    private static let byPath: Int32 = 0o10000000

    /// Opens the folder of a path, which begins with `/`.
    init(_ path: String) throws {
        self.path = path
        var parts = path.split(separator: "/").map(String.init)
        var folder = try FilePlace.opened(Glibc.open("/", FilePlace.byPath | O_DIRECTORY | O_CLOEXEC), path)
        do {
            var links = 0
            while true {
                guard !parts.isEmpty else { throw ListProblem("\(path): a folder, not a file") }
                let part = parts.removeFirst()
                if part == "." { continue }
                if let target = try FilePlace.link(part, in: folder, path) {
                    links += 1
                    guard links <= FilePlace.linkLimit else { throw ListProblem("\(path): too many links") }
                    parts = target.split(separator: "/").map(String.init) + parts
                    guard target.hasPrefix("/") else { continue }
                    close(folder)
                    folder = -1
                    folder = try FilePlace.opened(Glibc.open("/", FilePlace.byPath | O_DIRECTORY | O_CLOEXEC), path)
                } else if parts.isEmpty {
                    guard part != ".." else { throw ListProblem("\(path): a folder, not a file") }
                    name = part
                    break
                } else {
                    let next = openat(folder, part, FilePlace.byPath | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                    let problem = errno
                    close(folder)
                    folder = -1
                    errno = problem
                    folder = try FilePlace.opened(next, path)
                }
            }
        } catch {
            if folder >= 0 { close(folder) }
            throw error
        }
        self.folder = folder
    }

    deinit { close(folder) }

    private static func opened(_ file: Int32, _ path: String) throws -> Int32 {
        guard file >= 0 else { throw ListProblem.system(path) }
        return file
    }

    /// Where a name leads when it is a link that may be followed; nil for no link. Throws for another link.
    private static func link(_ name: String, in folder: Int32, _ path: String) throws -> String? {
        var (own, around) = (stat(), stat())
        guard fstatat(folder, name, &own, AT_SYMLINK_NOFOLLOW) == 0, own.st_mode & S_IFMT == S_IFLNK else { return nil }
        guard fstat(folder, &around) == 0 else { throw ListProblem.system(path) }
        let trusted: Set<uid_t> = [0, geteuid()]
        // In a sticky folder such as /tmp nobody replaces a link of others.
        let isOpen = around.st_mode & 0o022 != 0 && around.st_mode & 0o1000 == 0
        guard trusted.contains(own.st_uid), trusted.contains(around.st_uid), !isOpen else {
            throw ListProblem(
                "\(path): a link that others than root can change is not followed\n  hint: name the file itself, in a "
                    + "folder such as /var/lib/pgvigil")
        }
        var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let length = readlinkat(folder, name, &target, Int(PATH_MAX))
        guard length > 0 else { throw ListProblem.system(path) }
        return String(decoding: target[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    // MARK: - The file

    /// What is there; nil when nothing is. Throws for what is no regular file.
    func status() throws -> stat? {
        var status = stat()
        guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT { return nil }
            throw ListProblem.system(path)
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw ListProblem("\(path): no regular file is there") }
        return status
    }

    /// The folder.
    func folderStatus() throws -> stat {
        var status = stat()
        guard fstat(folder, &status) == 0 else { throw ListProblem.system(path) }
        return status
    }

    /// Opens the file, which must be a regular one; nothing else is waited for.
    func open(_ flags: Int32) throws -> Int32 {
        _ = try status()
        let file = openat(folder, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw ListProblem.system(path) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(file)
            throw ListProblem("\(path): no regular file is there")
        }
        return file
    }

    /// What stands in it; nil when nothing is there.
    func content() throws -> Data? {
        guard try status() != nil else { return nil }
        let handle = FileHandle(fileDescriptor: try open(O_RDONLY), closeOnDealloc: true)
        return try handle.readToEnd() ?? Data()
    }

    /// The new name must be on the disk, too.
    func sync() {
        let file = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { return }
        fsync(file)
        close(file)
    }
}
