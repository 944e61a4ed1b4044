import Foundation

/// Replaces files whole: whoever reads one sees the old text or the new, also after a power cut.
enum AtomicFile {
    /// Writes a text, unless the file holds it already; false then. A new file has mode 0644; one that is there keeps
    /// mode and owner. A link stays one, and the file it leads to is replaced: `FilePlace` says which are followed.
    static func write(_ text: String, to path: String) throws -> Bool {
        let place = try FilePlace(path)
        let bytes = Data(text.utf8)
        let old = try place.status()
        if let old, Int(old.st_size) == bytes.count, try place.content() == bytes { return false }
        let temporary = "\(place.name)\(AtomicFile.mark)\(getpid())"
        unlinkat(place.folder, temporary, 0)
        let file = openat(place.folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw ListProblem.system("\(path)\(AtomicFile.mark)\(getpid())") }
        do {
            defer { close(file) }
            try put(bytes, into: file, path: path)
            try give(file, to: old ?? place.folderStatus(), isNew: old == nil, path)
            // Whoever owns the folder may have put any file there: no list needs more than these bits.
            guard fchmod(file, (old?.st_mode ?? 0o644) & 0o777) == 0, fsync(file) == 0,
                renameat(place.folder, temporary, place.folder, place.name) == 0
            else { throw ListProblem.system(path) }
        } catch {
            unlinkat(place.folder, temporary, 0)
            throw error
        }
        place.sync()
        return true
    }

    /// Keeps the owner of what was there. A new file belongs to who owns the folder when root writes it: else the user of
    /// `watch` could not write it after root has, once.
    private static func give(_ file: Int32, to model: stat, isNew: Bool, _ path: String) throws {
        guard model.st_uid != geteuid() || model.st_gid != getegid(), !isNew || geteuid() == 0 else { return }
        guard fchown(file, model.st_uid, model.st_gid) == 0 else {
            throw ListProblem.system("\(path): its owner cannot be kept")
        }
    }

    /// Adds lines at the end, in one write. False when the file has another name: whoever owns the folder may have given
    /// it one, and it is another's.
    static func append(_ text: String, to path: String) throws -> Bool {
        let place = try FilePlace(path)
        let file = try place.open(O_WRONLY | O_APPEND)
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_nlink == 1 else { return false }
        try put(Data(text.utf8), into: file, path: path)
        guard fsync(file) == 0 else { throw ListProblem.system(path) }
        return true
    }

    /// Takes away what a writer that was killed left beside a file.
    static func clean(_ path: String) {
        guard let place = try? FilePlace(path) else { return }
        let folder = openat(place.folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0, let names = fdopendir(folder) else { return }
        defer { closedir(names) }
        while let entry = readdir(names) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasPrefix(place.name + mark), let pid = Int32(name.dropFirst((place.name + mark).count)),
                pid > 0, kill(pid, 0) != 0, errno == ESRCH
            else { continue }
            unlinkat(place.folder, name, 0)
        }
    }

    /// What stands between a file's name and the number of the process that is writing it.
    private static let mark = ".pgvigil-"

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
}
